// A side process whose WhatsApp is a server of the test (live-server.ts), on the port that is its argument: the real
// protocol, spool, files and reading of messages, without Baileys. A message leaves the server's queue when it is in the
// spool.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { readMessage } from '../../../extras/whatsapp/messages.mjs';
import { runSidecar } from '../../../extras/whatsapp/sidecar.mjs';

runSidecar({
  folder: process.cwd(),
  input: process.stdin,
  write: (line) => void process.stdout.write(line),
  end: (code) => process.exit(code),
  baileys: { initAuthCreds: () => ({}), BufferJSON: {}, proto: {} },
  open: ({ emit, keep }) => {
    const socket = connect(Number(process.argv[2]), '127.0.0.1');
    const open = new Map();
    let me = [];
    let last = 0;
    const tell = (line) => void socket.write(`${JSON.stringify(line)}\n`);
    const call = (name, ...args) => {
      last += 1;
      tell({ type: 'call', id: last, name, args });
      const { promise, resolve, reject } = Promise.withResolvers();
      open.set(last, (error, end) => (error ? reject(new Error(error)) : resolve(end)));
      return promise;
    };
    const lost = () => emit({ type: 'closed', family: 'network', reason: 'the line broke', fix: 'wait', code: 0 });
    const context = { isOurs: () => false, numberFor: async () => null, content: (message) => message };
    const take = async ({ n, message, raw }) => {
      const read = message ?? (await readMessage(raw, { me, ...context }));
      if (read) keep(read);
      tell({ type: 'kept', n });
    };
    socket.on('error', () => {});
    socket.on('close', lost);
    let reading = Promise.resolve();
    const lines = createInterface({ input: socket }).on('error', () => {});
    lines.on('line', (text) => {
      const line = JSON.parse(text);
      if (line.type === 'open') me = line.me;
      if (line.type === 'message') reading = reading.then(() => take(line));
      else if (line.type === 'answer') open.get(line.id)?.(line.error, line.end);
      else emit(line);
    });
    return {
      isOpen: () => me.length > 0,
      send: (out) => call('send', out),
      typing: (chat) => call('typing', chat),
      ping: () => call('ping'),
      async fetch(ref, maxBytes) {
        const bytes = Buffer.from(await call('fetch', ref), 'base64');
        if (bytes.length > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
        return bytes;
      },
      logout: async () => {},
      end: () => socket.destroy(),
    };
  },
});
