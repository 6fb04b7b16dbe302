// Owns the server behind live-side.mjs: what people say waits here until a side process has it in its spool, and what the
// assistant says arrives here. It can lose answers and lines.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

type Json = Record<string, unknown>;
/** `lost`: it was shown, and nobody knows; `late`: not taken now; `cut`: it was shown, and the line breaks */
export type WhatsappFault = 'lost' | 'late' | 'cut';

export async function startLiveWhatsapp() {
  const me = ['+4915550000'];
  const waiting = new Map<number, Json>();
  const shown: { readonly chat: string; readonly text: string }[] = [];
  const faults: WhatsappFault[] = [];
  const sockets = new Set<Socket>();
  let count = 0;
  const tell = (socket: Socket, line: Json): void => void socket.write(`${JSON.stringify(line)}\n`);
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    tell(socket, { type: 'open', me });
    for (const [n, message] of waiting) tell(socket, { type: 'message', n, message });
    // An interface hands on the errors of what it reads.
    const lines = createInterface({ input: socket }).on('error', () => {});
    lines.on('line', (text) => {
      const line = JSON.parse(text) as { type: string; n: number; id: number; out: { chat: string; text: string } };
      if (line.type === 'kept') return void waiting.delete(line.n);
      const fault = faults.shift();
      const answer = (end: Json): void => tell(socket, { type: 'sent', id: line.id, end });
      if (fault === 'late') return answer({ state: 'retry', reason: 'not now', afterMs: 500 });
      shown.push({ chat: line.out.chat, text: line.out.text });
      if (fault === 'cut') return void socket.destroy();
      answer(fault ? { state: 'unknown', reason: 'no answer' } : { state: 'sent', messageId: `M${shown.length}` });
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const say = (message: Json): void => {
    count += 1;
    waiting.set(count, message);
    for (const socket of sockets) tell(socket, { type: 'message', n: count, message });
  };
  return {
    command: [process.execPath, join(import.meta.dirname, 'live-side.mjs'), String(port)] as [string, ...string[]],
    shown,
    say,
    fault: (...next: WhatsappFault[]): void => void faults.push(...next),
    cut: (): void => {
      for (const socket of sockets) socket.destroy();
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
