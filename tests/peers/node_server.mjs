// An OPC UA server by node-opcua, with the nodes of tests/cases/peers/po01-opcua.toml, unsecured and Basic256Sha256.
//
// It samples on its own clock as most PLCs do, so that not every step of a counter is seen. The counters are those of
// opcua_server.py. Arguments: folder with node_modules, folder of certificates (tests/cases/pki), working folder.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';

const [modules, pki, work] = process.argv.slice(2);
const require = createRequire(path.join(modules, 'index.js'));
const { OPCUAServer } = require('node-opcua-server');
const { OPCUACertificateManager } = require('node-opcua-certificate-manager');
const { DataType, Variant } = require('node-opcua-variant');
const { MessageSecurityMode, SecurityPolicy } = require('node-opcua-secure-channel');

const GOOD = [3, 0, 7, 1, 9, 4, 0, 0, 8, 5, 2, 6, 1, 9, 0, 3];
const REJECTS = [0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 1];
const EXECUTE = 3;
const FIRST = { good: 4294967000, infeed: 900000, rejects: 65530 };

const born = Date.now();
const made = { good: 0, rejects: 0, steps: 0 };
let running = false;

const certificate = fs.readFileSync(path.join(pki, 'plc.der')).toString('base64').match(/.{1,64}/g).join('\n');
const certificateFile = path.join(work, 'plc.pem');
fs.writeFileSync(certificateFile, `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`);
const manager = (name) => new OPCUACertificateManager({
  automaticallyAcceptUnknownCertificate: true, rootFolder: path.join(work, name),
});
const serverCertificateManager = manager('pki');
const userCertificateManager = manager('users');
await serverCertificateManager.initialize();
await userCertificateManager.initialize();
const server = new OPCUAServer({
  port: 0,
  host: '127.0.0.1',
  hostname: '127.0.0.1',
  certificateFile,
  privateKeyFile: path.join(pki, 'plc.key.pem'),
  serverCertificateManager,
  userCertificateManager,
  serverInfo: { applicationUri: 'urn:capline:test:plc' },
  securityModes: [MessageSecurityMode.None, MessageSecurityMode.SignAndEncrypt],
  securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256],
  userManager: { isValidUser: (name, password) => name === 'edge' && password === 's3cret' },
});
await server.initialize();
const namespace = server.engine.addressSpace.registerNamespace('urn:capline:peer');
const node = (name, dataType, value) => namespace.addVariable({
  organizedBy: server.engine.addressSpace.rootFolder.objects,
  nodeId: `s=PO01.${name}`,
  browseName: `PO01.${name}`,
  dataType,
  minimumSamplingInterval: 50,
  value: { get: () => new Variant({ dataType, value: value() }) },
});
node('State', DataType.UInt16, () => EXECUTE);
node('Heartbeat', DataType.UInt16, () => Math.floor((Date.now() - born) / 1000) & 0xffff);
node('Good', DataType.UInt32, () => (FIRST.good + made.good) % 2 ** 32);
node('Infeed', DataType.UInt32, () => FIRST.infeed + made.good + made.rejects);
node('Rejects', DataType.UInt16, () => (FIRST.rejects + made.rejects) % 2 ** 16);
await server.start();
const { port } = new URL(server.getEndpointUrl().replace('opc.tcp:', 'http:'));
console.log(`port ${port}`);

setInterval(() => {
  if (!running) return;
  made.good += GOOD[made.steps % GOOD.length];
  made.rejects += REJECTS[made.steps % REJECTS.length];
  made.steps += 1;
}, 10);

for await (const order of readline.createInterface({ input: process.stdin })) {
  running = order.trim() === 'start';
  if (order.trim() === 'stop') {
    console.log(JSON.stringify({ ...made, infeed: made.good + made.rejects }));
  }
}
process.exit(0);
