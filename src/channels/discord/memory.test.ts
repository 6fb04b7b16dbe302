// Holds the memory of the Discord channel to what it must survive.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Log } from '../../log/log.ts';
import { openMemory } from './memory.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };

test('a chat that wrote for the first time is known after kill -9, so that it can be read back', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-discord-memory-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const memory = openMemory(folder, 'token', silent);
  memory.saw('c1', '10');
  memory.saw('c1', '11');
  // Nothing was flushed and nothing waited for: what is on disk is all there is.
  expect([...openMemory(folder, 'token', silent).lastMessages]).toEqual([['c1', '10']]);
});
