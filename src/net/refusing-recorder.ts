// Owns a port on loopback that hears what a program says to it and answers nothing: the end of the world for a rehearsal
// without a network. It must never listen elsewhere than on loopback, nor send a byte.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

const MAX_BYTES = 64 * 1024;

export async function openRefusingRecorder() {
  const heard: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    const at = heard.push('(a connection) ') - 1;
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    socket.on('data', (chunk) => {
      heard[at] = `${heard[at] ?? ''}${chunk.toString('utf8')}`.slice(0, MAX_BYTES);
      socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    async close(): Promise<void> {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
