// A side process whose WhatsApp is a server of the test (live-server.ts), on the port that is its argument: the real
// protocol, spool and files, without Baileys. A message leaves the server's queue when it is in the spool.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
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
    let isOpen = false;
    let last = 0;
    const tell = (line) => void socket.write(`${JSON.stringify(line)}\n`);
    const lost = () => emit({ type: 'closed', family: 'network', reason: 'the line broke', fix: 'wait', code: 0 });
    socket.on('error', () => {});
    socket.on('close', lost);
    const lines = createInterface({ input: socket }).on('error', () => {});
    lines.on('line', (text) => {
      const line = JSON.parse(text);
      if (line.type === 'open') {
        isOpen = true;
        emit({ type: 'open', me: line.me });
      } else if (line.type === 'message') {
        keep(line.message);
        tell({ type: 'kept', n: line.n });
      } else open.get(line.id)?.(line.end);
    });
    return {
      isOpen: () => isOpen,
      send(out) {
        last += 1;
        tell({ type: 'send', id: last, out });
        return new Promise((resolve) => open.set(last, resolve));
      },
      typing: async () => {},
      ping: async () => {},
      fetch: async () => Buffer.alloc(0),
      logout: async () => {},
      end: () => socket.destroy(),
    };
  },
});
