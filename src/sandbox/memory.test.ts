// What sockets are counted for: to the most for a command, as they come for a browser, which has many of them.
import { createSocket, type Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { holdsMoreThan } from './memory.ts';

const sysctl = (name: string): number => Number(readFileSync(`/proc/sys/net/core/${name}`, 'utf8'));

test('sockets count for all that could be put into them, and those of a browser for what they are given', async () => {
  const sockets: Socket[] = [];
  onTestFinished(() => sockets.forEach((socket) => void socket.close()));
  for (let n = 0; n < 600; n++) {
    const socket = createSocket('udp4');
    sockets.push(socket);
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  }
  const holds = (bytes: number, ownWalls: boolean): Promise<boolean> =>
    holdsMoreThan(bytes, { members: [], init: process.pid, ownWalls });
  const most = 500 * 2 * sysctl('wmem_max');
  expect([await holds(most, false), await holds(most, true)]).toEqual([true, false]);
  // A flood of them is counted all the same.
  expect(await holds(300 * sysctl('wmem_default'), true)).toBe(true);
});
