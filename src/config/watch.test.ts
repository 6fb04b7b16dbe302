// An edit by hand while the gateway runs: taken over when it is good, and without effect when it is broken.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadForStart } from './load.ts';
import { type ConfigEvent, type ConfigWatch, watchConfig } from './watch.ts';

let folder = '';
let configPath = '';
let watching: ConfigWatch | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-watch-'));
  configPath = join(folder, 'openclaw.json');
  writeFileSync(configPath, '{ gateway: { port: 18789 } }', { mode: 0o600 });
});
afterEach(() => {
  watching?.close();
  rmSync(folder, { recursive: true, force: true });
});

const read = () => loadForStart({ configPath }, {});

/** Events as they come; `next` waits for one. */
function watchIt(): () => Promise<ConfigEvent> {
  const waiting: ((event: ConfigEvent) => void)[] = [];
  const arrived: ConfigEvent[] = [];
  watching = watchConfig({
    running: read(),
    read: async () => read(),
    secretFiles: () => [join(folder, 'secret')],
    settleMs: 20,
    onEvent: (event) => {
      const take = waiting.shift();
      if (take) take(event);
      else arrived.push(event);
    },
  });
  return () => {
    const event = arrived.shift();
    return event ? Promise.resolve(event) : new Promise((resolve) => waiting.push(resolve));
  };
}

test('a good edit is handed on with what changed and what needs a restart', async () => {
  const next = watchIt();
  writeFileSync(configPath, '{ gateway: { port: 19000 }, tools: { exec: { allow: ["ls"] } } }');
  expect(await next()).toMatchObject({
    ok: true,
    loaded: { config: { gateway: { port: 19_000 } } },
    changed: ['gateway.port', 'tools.exec.allow'],
    restart: ['gateway.port'],
  });
});

test('an editor that writes beside and renames is noticed too', async () => {
  const next = watchIt();
  writeFileSync(`${configPath}.swp`, '{ logging: { level: "debug" } }', { mode: 0o600 });
  renameSync(`${configPath}.swp`, configPath);
  expect(await next()).toMatchObject({ ok: true, changed: ['logging.level'], restart: [] });
});

test('a broken edit is one line, what runs stays, and the mended file is taken over', async () => {
  const next = watchIt();
  writeFileSync(configPath, '{ gateway: { bind: "0.0.0.0" } }');
  expect(await next()).toEqual({
    ok: false,
    reason: expect.stringMatching(
      /^the configuration .* is not usable: gateway\.bind "lan" lets a network reach the gateway[^\n]*$/,
    ),
    fix: expect.stringContaining('loopback'),
  });
  writeFileSync(configPath, '{ gateway: { port: 19001 } }');
  expect(await next()).toMatchObject({ ok: true, changed: ['gateway.port'] });
});

test('an included file is watched as well', async () => {
  writeFileSync(configPath, '{ $include: "./more.json" }');
  writeFileSync(join(folder, 'more.json'), '{ gateway: { port: 18789 } }', { mode: 0o600 });
  const next = watchIt();
  writeFileSync(join(folder, 'more.json'), '{ gateway: { port: 19002 } }');
  expect(await next()).toMatchObject({ ok: true, changed: ['gateway.port'] });
});

test('a secret that appears or changes is read again, though no setting is spelled differently', async () => {
  const next = watchIt();
  writeFileSync(join(folder, 'secret'), 'one', { mode: 0o600 });
  expect(await next()).toMatchObject({ ok: true, changed: [] });
  writeFileSync(join(folder, 'secret'), 'other', { mode: 0o600 });
  expect(await next()).toMatchObject({ ok: true, changed: [] });
});

test('nothing is reported for a file that says what it said', () => {
  let events = 0;
  watching = watchConfig({
    running: read(),
    read: async () => read(),
    onEvent: () => events++,
  });
  watching.check();
  expect(events).toBe(0);
});
