// Owns the server behind live-side.mjs: what people say waits here until a side process has it in its spool, and what the
// assistant says arrives here. It can lose answers and lines.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

type Json = Record<string, unknown>;
/** `lost`: it was shown, and nobody knows; `late`: not taken now; `cut`: it was shown, and the line breaks */
export type WhatsappFault = 'lost' | 'late' | 'cut';
export type WhatsappShown = {
  readonly chat: string;
  readonly text: string;
  readonly file?: { readonly name: string; readonly data: string };
};
type Call = { type: string; n: number; id: number; name: string; args: [WhatsappShown & string] };

export const WHATSAPP_ME = '+4915550000';

export async function startLiveWhatsapp() {
  const waiting = new Map<number, Json>();
  const shown: WhatsappShown[] = [];
  const typed: string[] = [];
  const files = new Map<string, Uint8Array>();
  const faults: WhatsappFault[] = [];
  const sockets = new Set<Socket>();
  const watchers = new Set<() => void>();
  let count = 0;
  const tell = (socket: Socket, line: Json): void => void socket.write(`${JSON.stringify(line)}\n`);
  const answerTo = (socket: Socket, { id, name, args: [given] }: Call): void => {
    const answer = (end: unknown, error?: string): void => tell(socket, { type: 'answer', id, end, error });
    if (name === 'typing') typed.push(given);
    if (name === 'fetch') {
      const bytes = files.get(given);
      if (bytes) answer(Buffer.from(bytes).toString('base64'));
      else answer(null, 'there is no such file');
    } else if (name === 'send') take(socket, given, answer);
    else answer(null);
  };
  const take = (socket: Socket, out: WhatsappShown, answer: (end: unknown) => void): void => {
    const fault = faults.shift();
    if (fault === 'late') {
      answer({ state: 'retry', reason: 'not now', afterMs: 3_000 });
      return;
    }
    shown.push(out);
    if (fault === 'cut') socket.destroy();
    else answer(fault ? { state: 'unknown', reason: 'no answer' } : { state: 'sent', messageId: `M${shown.length}` });
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    tell(socket, { type: 'open', me: [WHATSAPP_ME] });
    for (const [n, message] of waiting) tell(socket, { type: 'message', n, ...message });
    // An interface hands on the errors of what it reads.
    const lines = createInterface({ input: socket }).on('error', () => {});
    lines.on('line', (text) => {
      const line = JSON.parse(text) as Call;
      if (line.type === 'kept') waiting.delete(line.n);
      else answerTo(socket, line);
      for (const look of watchers) look();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const emit = (line: Json): void => {
    for (const socket of sockets) tell(socket, line);
  };
  const queue = (message: Json): void => {
    count += 1;
    waiting.set(count, message);
    emit({ type: 'message', n: count, ...message });
  };
  return {
    command: [process.execPath, join(import.meta.dirname, 'live-side.mjs'), String(port)] as [string, ...string[]],
    shown,
    typed,
    /** by their reference */
    files,
    /** as the side process would hand it on */
    say: (message: Json): void => queue({ message }),
    /** as Baileys would hand it out */
    sayRaw: (raw: Json): void => queue({ raw }),
    emit,
    fault: (...next: WhatsappFault[]): void => void faults.push(...next),
    cut: (): void => {
      for (const socket of sockets) socket.destroy();
    },
    connections: (): number => sockets.size,
    until: (what: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!what()) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
