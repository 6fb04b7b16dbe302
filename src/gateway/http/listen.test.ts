// The port: whole or not at all, and a clear word about who has it.
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { HardshellError } from '../../platform/errors.ts';
import { LIMITS } from '../limits.ts';
import { closeServer, holderOf, listen } from './listen.ts';

const taken: Server[] = [];
afterEach(async () => {
  for (const server of taken.splice(0)) await new Promise((resolve) => server.close(resolve));
});
async function take(host: string, port = 0): Promise<number> {
  const server = createServer().listen(port, host);
  taken.push(server);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
const hasIpv6 = await take('::1').then(
  () => true,
  () => false,
);

test('a taken port is PORT_IN_USE with the port, its holder and another port', async () => {
  const port = await take('127.0.0.1');
  const error = await listen(['127.0.0.1', '::1'], port, LIMITS).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(HardshellError);
  expect(error).toMatchObject({
    code: 'PORT_IN_USE',
    message: expect.stringMatching(new RegExp(`^port ${port} is already in use by .+ \\(pid ${process.pid}\\)$`)),
    fix: `stop that program, or use another port: openclaw gateway run --port ${port + 1}`,
    exitCode: 2,
  });
});

test.runIf(hasIpv6)('a port that is taken on [::1] only is refused too, and nothing is left listening', async () => {
  const port = await take('::1');
  await expect(listen(['127.0.0.1', '::1'], port, LIMITS)).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  await expect(take('127.0.0.1', port)).resolves.toBe(port);
});

test('an address that the machine lacks is left out, as long as one is there', async () => {
  const { servers, port } = await listen(['127.0.0.1', '2001:db8::1'], 0, LIMITS);
  expect(servers).toHaveLength(1);
  expect(port).toBeGreaterThan(0);
  await Promise.all(servers.map(closeServer));
  await expect(listen(['2001:db8::1'], 0, LIMITS)).rejects.toMatchObject({ code: 'NO_ADDRESS' });
});

test('A01 only the addresses that were named are listened on', async () => {
  const { servers, port } = await listen(['127.0.0.1', '::1'], 0, LIMITS);
  const addresses = servers.map((server) => server.address() as { address: string; port: number });
  expect(addresses.every((one) => one.port === port)).toBe(true);
  expect(
    addresses.map(({ address }) => address).filter((address) => address !== '127.0.0.1' && address !== '::1'),
  ).toEqual([]);
  await Promise.all(servers.map(closeServer));
});

test('a port that nobody holds has no holder', async () => {
  const port = await take('127.0.0.1');
  expect(holderOf(port)?.pid).toBe(process.pid);
  await new Promise((resolve) => taken.pop()?.close(resolve));
  expect(holderOf(port)).toBeNull();
});
