// What anybody who finds the address of a webhook can make the gateway do: nothing that costs.
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type HookListener, listenForHooks } from './hook-listener.ts';

let listener: HookListener;
afterEach(() => listener.close());
const open = async () => {
  const heard: string[] = [];
  listener = await listenForHooks({
    ...{ port: 0, path: '/hook', maxBytes: 1_000, withinMs: 1_000 },
    admits: (headers) => headers['x-secret'] === 'right',
    async answer({ body }) {
      heard.push(body.toString());
      return { status: 200 };
    },
  });
  return heard;
};
/** Everything that the listener says until it ends the connection. */
async function say(text: string): Promise<string> {
  const socket = connect(listener.port, '127.0.0.1');
  let said = '';
  socket.setEncoding('utf8').on('data', (more: string) => {
    said += more;
  });
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return said;
}

test('D20 without the secret it is refused before any of the body is sent, and the connection ends', async () => {
  const heard = await open();
  const said = await say('POST /hook HTTP/1.1\r\nhost: x\r\nx-secret: wrong\r\ncontent-length: 900\r\n\r\n');
  expect(said).toMatch(/^HTTP\/1\.1 401 [\s\S]*connection: close/i);
  expect(heard).toEqual([]);
});

test('with the secret it is heard, up to a size', async () => {
  const heard = await open();
  const head = 'POST /hook HTTP/1.1\r\nhost: x\r\nx-secret: right\r\nconnection: close\r\n';
  expect(await say(`${head}content-length: 2\r\n\r\nhi`)).toMatch(/^HTTP\/1\.1 200/);
  expect(await say(`${head}content-length: 1001\r\n\r\n${'x'.repeat(1_001)}`)).toMatch(/^HTTP\/1\.1 413/);
  expect(heard).toEqual(['hi']);
});

test('who says a head or a body letter by letter is cut off', async () => {
  await open();
  const startedAt = performance.now();
  const slow = [
    'POST /hook HTTP/1.1\r\nhost: x\r\n',
    'POST /hook HTTP/1.1\r\nx-secret: right\r\nhost: x\r\ncontent-length: 9\r\n\r\n',
  ];
  await Promise.all(slow.map(say));
  expect(performance.now() - startedAt).toBeLessThan(4_000);
});
