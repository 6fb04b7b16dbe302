// A side process whose WhatsApp is a script: the real protocol, spool and files, without Baileys. What it shall do comes
// as a JSON file `script.json` in its folder: events to emit at the start, and how sends end.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { runSidecar } from '../../../extras/whatsapp/sidecar.mjs';

const script = existsSync('script.json') ? JSON.parse(readFileSync('script.json', 'utf8')) : {};
const sent = [];
runSidecar({
  folder: process.cwd(),
  input: process.stdin,
  write: (line) => void process.stdout.write(line),
  end: (code) => process.exit(code),
  baileys: { initAuthCreds: () => ({}), BufferJSON: {}, proto: {} },
  open: ({ emit, keep }) => {
    setImmediate(() => {
      for (const event of script.events ?? []) {
        if (event.type === 'keep') keep(event.message);
        else if (event.type === 'garbage') process.stdout.write(`${event.text}\n`);
        else emit(event);
      }
    });
    return {
      isOpen: () => true,
      async send(out) {
        sent.push(out);
        writeFileSync('sent.json', JSON.stringify(sent));
        const end = script.sends?.shift() ?? { state: 'sent', messageId: `M${sent.length}` };
        if (end.state === 'die') process.exit(9);
        return end;
      },
      typing: async () => {},
      ping: async () => {
        if (script.ping === 'dead') throw new Error('no answer');
      },
      fetch: async (ref) => Buffer.from(`bytes of ${ref}`),
      logout: async () => {},
      end: () => {},
    };
  },
});
