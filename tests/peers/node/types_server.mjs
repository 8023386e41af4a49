// A Modbus TCP server by modbus-serial, in all four tables, that says what it holds.
//
// First a line `port N`, then one of JSON, as types_server.py. The end of stdin ends the process.

import { once } from "node:events";
import { createRequire } from "node:module";
import net from "node:net";
import path from "node:path";

// The library is installed under target, not beside this file.
const require = createRequire(path.join(process.argv[2], "package.json"));
const { ServerTCP } = require("modbus-serial");

const image = Buffer.alloc(2_000);
const held = [];
let at = 0;

const hold = (table, type, order, bytes, value, write) => {
  write(at);
  held.push({ id: `N${held.length}.${type}`, register: `${table} ${at / 2}`, type, order, value });
  at += bytes;
};

for (const table of ["holding", "input"]) {
  hold(table, "u16", "ABCD", 2, 4660, (i) => image.writeUInt16BE(4660, i));
  hold(table, "u16", "BADC", 2, 4660, (i) => image.writeUInt16LE(4660, i));
  hold(table, "i16", "ABCD", 2, -5, (i) => image.writeInt16BE(-5, i));
  hold(table, "u32", "ABCD", 4, 305419896, (i) => image.writeUInt32BE(305419896, i));
  hold(table, "u32", "DCBA", 4, 305419896, (i) => image.writeUInt32LE(305419896, i));
  hold(table, "i32", "DCBA", 4, -123456, (i) => image.writeInt32LE(-123456, i));
  hold(table, "f32", "ABCD", 4, 6500.25, (i) => image.writeFloatBE(6500.25, i));
  hold(table, "f32", "DCBA", 4, -0.15625, (i) => image.writeFloatLE(-0.15625, i));
  hold(table, "u64", "ABCD", 8, 9007199254740991, (i) => image.writeBigUInt64BE(9007199254740991n, i));
  hold(table, "i64", "DCBA", 8, -9007199254740991, (i) => image.writeBigInt64LE(-9007199254740991n, i));
  hold(table, "f64", "ABCD", 8, 100.25, (i) => image.writeDoubleBE(100.25, i));
  hold(table, "f64", "DCBA", 8, -123456789.015625, (i) => image.writeDoubleLE(-123456789.015625, i));
  hold(table, "bcd32", "CDAB", 4, 12345678, (i) => image.write("56781234", i, "hex"));
  hold(table, "text8", "ABCD", 8, "CAP-7", (i) => image.write("CAP-7", i, "latin1"));
}
const bit = (i) => i % 3 === 0;
for (const table of ["coil", "discrete"]) {
  for (const i of [0, 1, 9, 30]) {
    held.push({ id: `N${held.length}.bool`, register: `${table} ${i}`, type: "bool", order: "ABCD", value: bit(i) });
  }
}

const register = (i) => image.readUInt16BE(i * 2);
const vector = { getHoldingRegister: register, getInputRegister: register, getCoil: bit, getDiscreteInput: bit };
// The library takes port 0 for its default, so a free one is looked up first.
const free = net.createServer().listen(0, "127.0.0.1");
await once(free, "listening");
const { port } = free.address();
free.close();
await once(free, "close");
const server = new ServerTCP(vector, { host: "127.0.0.1", port, unitID: 1 });
server.on("initialized", () => {
  console.log(`port ${port}`);
  console.log(JSON.stringify(held));
});
process.stdin.on("end", () => process.exit(0)).resume();
