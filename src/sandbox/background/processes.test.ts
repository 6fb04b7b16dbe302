// Real processes under a box that is none: what is promised here holds whatever the walls.
import { tmpdir } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { run } from '../../platform/process/process.ts';
import { DEFAULT_LIMITS, type ExecRequest, type Sandbox } from '../driver.ts';
import { createProcesses, type Processes } from './processes.ts';

const plain: Sandbox = {
  driver: 'none',
  exec: ({ argv, stdin, onOutput, limits, signal }: ExecRequest) =>
    run(argv, {
      ...{ cwd: tmpdir(), env: { PATH: '/usr/bin:/bin' }, signal, ...limits },
      ...(stdin === undefined ? {} : { stdin }),
      ...(onOutput ? { onOutput } : {}),
    }),
  close: async () => {},
};
const never = new AbortController().signal;
let journal: [string, Record<string, unknown>][] = [];
let all: Processes<string>;
const open = () => {
  journal = [];
  all = createProcesses<string>({ now: Date.now, record: (kind, body) => void journal.push([kind, body]) });
};
const start = (command: string, sessionKey = 's', speaker = 'ada', timeoutMs = 10_000) =>
  all.start({ sessionKey, runId: 'r', speaker }, plain, command, {
    argv: ['/bin/bash', '--norc', '-c', command],
    cwd: '.',
    limits: { ...DEFAULT_LIMITS, timeoutMs },
  });
const textOf = (one: ReturnType<typeof start>) => one.output.read(0, 100_000).text;
afterEach(() => all.close());

test('it takes input over time, says what it printed, and its end is known and written down', async () => {
  open();
  const one = start('read a; echo "got $a"; read b; echo "and $b"; cat; exit 3');
  one.write('one\n');
  await one.news(5_000, never);
  expect(textOf(one)).toBe('got one\n');
  one.readAt = one.output.total();
  one.write('two\nrest');
  one.endInput();
  await one.done;
  expect(textOf(one)).toBe('got one\nand two\nrest');
  expect(one.ending()).toMatchObject({ exitCode: 3, why: null, failed: null });
  expect(journal.map(([kind]) => kind)).toEqual(['process.started', 'process.ended']);
  expect(JSON.stringify(journal)).not.toContain('got');
  expect(() => one.write('late')).toThrow(/no more input/);
});

test('a conversation sees and reaches its own and no other', async () => {
  open();
  const mine = start('sleep 30', 's');
  const others = start('sleep 30', 't');
  expect(all.list('s')).toEqual([mine]);
  expect(() => all.find('s', others.id)).toThrow(/no process/);
  expect(all.find('t', others.id)).toBe(others);
  const other = createProcesses({ now: Date.now, record: () => {} });
  expect(() => other.find('s', mine.id)).toThrow(/ended when the gateway that started it ended/);
});

test('eight of a conversation run at once, 32 in all, and one that ends makes room', async () => {
  open();
  const eight = Array.from({ length: 8 }, () => start('sleep 30'));
  expect(() => start('sleep 30')).toThrow(/8 of this conversation/);
  eight[0]?.kill('killed');
  await eight[0]?.done;
  start('sleep 30');
  for (const key of ['a', 'b', 'c']) for (let i = 0; i < 8; i += 1) start('sleep 30', key);
  expect(() => start('sleep 30', 'd')).toThrow(/32 in all/);
  expect(all.count()).toBe(32);
  await all.close();
  expect(all.count()).toBe(0);
  expect(() => start('true', 'e')).toThrow(/stopping/);
}, 20_000);

test('a right that is taken, or a conversation that is reset, ends what hangs on it and nothing else', async () => {
  open();
  const [ada, bob] = [start('sleep 30', 's', 'ada'), start('sleep 30', 's', 'bob')];
  all.endWhere(({ speaker }) => speaker === 'bob', 'right taken');
  await bob.done;
  expect(bob.ending()).toMatchObject({ exitCode: null, why: 'right taken' });
  expect(ada.ending()).toBeNull();
});

test('it ends at its own time, and only the newest ended ones are remembered', async () => {
  open();
  const late = start('sleep 30', 's', 'ada', 100);
  await late.done;
  expect(late.ending()).toMatchObject({ stopped: 'timeout' });
  for (let i = 0; i < 10; i += 1) await start(`echo ${i}`).done;
  expect(all.list('s')).toHaveLength(8);
  expect(textOf(all.list('s')[7] as typeof late)).toBe('9\n');
});

test('waiting for news ends with the news, the end, the time or the signal', async () => {
  open();
  const one = start('read a; echo said; read b');
  const soon = new AbortController();
  const waits = one.news(60_000, soon.signal);
  soon.abort();
  await waits;
  const news = one.news(60_000, never);
  one.write('x\n');
  await news;
  expect(textOf(one)).toBe('said\n');
  one.readAt = one.output.total();
  await one.news(20, never);
  const over = one.over(60_000, never);
  one.kill('killed');
  await over;
  expect(one.ending()).toMatchObject({ why: 'killed' });
});
