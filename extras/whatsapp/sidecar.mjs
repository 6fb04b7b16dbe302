// Owns the side process for WhatsApp: its lines on stdin and stdout (protocol.md). It runs under Node's permission model,
// with its own folder to read and `link/` and `spool/` to write; it reads no environment and takes no arguments.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openAuth, openSpool } from './files.mjs';

const UNLINKED = 401;

/** @typedef {{ isOpen(): boolean, send(out: any): Promise<any>, typing(chat: string): Promise<void>, ping(): Promise<void>, fetch(ref: string, maxBytes: number): Promise<Buffer>, logout(): Promise<void>, end(): void }} Connection */

/**
 * @param {{ folder: string, input: NodeJS.ReadableStream, write: (line: string) => void, end: (code: number) => void,
 *   open: (ports: { auth: any, emit: (event: any) => void, keep: (message: any) => void }) => Connection, baileys: any }} ports
 */
export function runSidecar({ folder, input, write, end, open, baileys }) {
  const linkFolder = join(folder, 'link');
  const spool = openSpool(join(folder, 'spool'));
  const say = (/** @type {any} */ event) => {
    write(`${JSON.stringify(event)}\n`);
    // The phone has unlinked us: with these keys there will never be a connection, and no new link either.
    if (event.type === 'closed' && event.code === UNLINKED) rmSync(linkFolder, { recursive: true, force: true });
    // The gateway starts a fresh process: nothing of a broken connection can leak into the next.
    if (event.type === 'closed') end(0);
  };
  const auth = openAuth(linkFolder, baileys);
  // What an earlier process had on the way comes first.
  for (const { id, message } of spool.all()) say({ type: 'message', id, message });
  const connection = open({
    auth,
    emit: say,
    keep: (message) => say({ type: 'message', id: spool.keep(message), message }),
  });

  const answer = async (/** @type {any} */ line) => {
    switch (line.type) {
      case 'stored':
        return spool.done(line.id);
      case 'typing':
        return connection.typing(line.chat);
      case 'stop':
        connection.end();
        return end(0);
      case 'send': {
        const { state, ...rest } = await connection.send(line);
        return say(
          state === 'sent' ? { type: 'done', id: line.id, ...rest } : { type: 'failed', id: line.id, state, ...rest },
        );
      }
      case 'fetch':
        return say({
          type: 'done',
          id: line.id,
          data: (await connection.fetch(line.ref, line.maxBytes)).toString('base64'),
        });
      case 'ping':
        await connection.ping();
        return say({ type: 'done', id: line.id });
      case 'logout':
        await connection.logout().catch(() => {});
        rmSync(linkFolder, { recursive: true, force: true });
        return say({ type: 'done', id: line.id });
      default:
        return say({
          type: 'log',
          level: 'error',
          text: `a line of the type ${String(line.type).slice(0, 40)} is not known`,
        });
    }
  };
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on('line', (text) => {
    let line;
    try {
      line = JSON.parse(text);
    } catch {
      say({ type: 'log', level: 'error', text: 'a line that is not JSON' });
      return;
    }
    answer(line).catch((error) => {
      const reason = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
      if (line.id === undefined || line.type === 'stored') say({ type: 'log', level: 'warn', text: reason });
      else say({ type: 'failed', id: line.id, state: 'failed', reason });
    });
  });
  // The gateway is gone: nobody is left to talk to.
  lines.on('close', () => {
    connection.end();
    end(0);
  });
}

if (import.meta.main) {
  const { armedBaileys } = await import('./guard.mjs');
  const { connect } = await import('./connection.mjs');
  const baileys = await armedBaileys();
  runSidecar({
    folder: process.cwd(),
    input: process.stdin,
    write: (line) => void process.stdout.write(line),
    end: (code) => process.exit(code),
    baileys,
    open: (ports) => connect({ ...ports, baileys }),
  });
}
