// Owns the promise that what the pages tell people to type works as it stands there: every shell command of every fenced
// block, in an empty home, against the built program. A block that cannot run here says why, in the page itself.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnv, freePort, newHome, REPO, startTestGateway, type TestGateway } from '../support/gateway.ts';

const CHANNELS = ['channels', 'pairing', 'telegram', 'discord', 'slack', 'mail', 'whatsapp'];
const PAGES = [
  'README.md',
  ...[
    'configuration',
    'secrets',
    'operations',
    'exec',
    'paths',
    'policy',
    'shell',
    'undo',
    'outbox',
    'audit',
    'trust',
    'sandbox',
    'mcp',
    'skills',
    ...CHANNELS,
  ].map((name) => `docs/${name}.md`),
];
/** More than these would be an excuse. */
const MAX_NOT_RUN = 9;
/** These go on until somebody ends them: they are fine when they are still there after a while, and said no error. */
const STAYS = /--follow|\bopenclaw chat\b/;
/** These ask a person first, and there is none here. */
const ASKS = /^openclaw migrate$/;
const STAYS_MS = 1_500;
const LIMIT_MS = 100_000;
const KEY = 'not-a-real-key-3f9c1b7a5d2e8f60\n';

type Block = { readonly page: string; readonly language: string; readonly note: string; readonly text: string };

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(REPO, page), 'utf8');
  return [...text.matchAll(/(?:^<!-- (.*) -->\n)?^```(\w+)\n([\s\S]*?)^```$/gm)].map(
    ([, note = '', language = '', inner = '']) => ({ page, language, note, text: inner }),
  );
}

const blocks = PAGES.flatMap(blocksOf);
const shell = blocks.filter(({ language }) => language === 'sh');
const run = shell.filter(({ note }) => !note.startsWith('not run: '));
/** A comment of the page is none of the shell's. */
const linesOf = ({ text }: Block): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/\s+#\s.*$/, ''))
    .filter((line) => line.trim() !== '');

type Outcome = { readonly code: number | null; readonly said: string };

/** One line, as a person types it. It runs in a group of its own, so that it can be ended with what it started. */
function type(line: string, env: Record<string, string>): Promise<Outcome> {
  const child = spawn('bash', ['-o', 'pipefail', '-c', line], { env, cwd: REPO, detached: true });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data));
  // One that reads nothing may be gone before it was written.
  child.stdin.on('error', () => {});
  if (!STAYS.test(line)) child.stdin.end(KEY);
  const end = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGTERM'), STAYS.test(line) ? STAYS_MS : LIMIT_MS);
  return new Promise((resolve) =>
    child.once('close', (code) => {
      clearTimeout(end);
      resolve({ code, said });
    }),
  );
}

describe('the pages', () => {
  const homes: string[] = [];
  const bin = newHome();
  let gateway: TestGateway;

  beforeAll(async () => {
    mkdirSync(bin, { recursive: true });
    symlinkSync(join(REPO, 'bin', 'openclaw.cjs'), join(bin, 'openclaw'));
    gateway = await startTestGateway();
  });
  afterAll(async () => {
    await gateway?.dispose();
    for (const home of [bin, ...homes]) rmSync(home, { recursive: true, force: true });
  });

  const withProgram = (env: Record<string, string>): Record<string, string> => ({
    ...env,
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
  });
  const emptyHome = async (): Promise<Record<string, string>> => {
    const home = newHome();
    homes.push(home);
    return withProgram(cleanEnv(home, { OPENCLAW_GATEWAY_PORT: String(await freePort()) }));
  };

  const putOlder = (home: string): void => {
    for (const folder of [join(home, '.clawdbot'), join(home, 'backup', '.clawdbot')]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, 'clawdbot.json'), '{ gateway: { port: 18790 } }', { mode: 0o600 });
    }
  };

  test('few blocks are left out, each with its reason', () => {
    const left = shell.filter(({ note }) => note.startsWith('not run: '));
    expect(left.length).toBeLessThanOrEqual(MAX_NOT_RUN);
    expect(run.flatMap(linesOf).length).toBeGreaterThan(20);
  });

  test.each(run.map((block) => ({ block, name: `${block.page}: ${linesOf(block)[0]} …` })))(
    '$name works as it stands there',
    async ({ block }) => {
      const env =
        block.note === 'with a gateway' ? withProgram(cleanEnv(gateway.home, { ...gateway.env })) : await emptyHome();
      if (block.note === 'with an older folder') putOlder(env['HOME'] ?? '');
      for (const line of linesOf(block)) {
        const { code, said } = await type(line, env);
        if (ASKS.test(line)) {
          expect({ code, said }, line).toMatchObject({ code: 64, said: expect.stringContaining('nobody to ask') });
          continue;
        }
        expect(said, line).not.toMatch(/^error:/m);
        if (!STAYS.test(line)) expect(code, `${line}\n${said}`).toBe(0);
      }
    },
  );

  test.each(blocks.filter(({ language }) => language === 'json5').map((block) => ({ block, name: block.page })))(
    'a configuration that $name shows is one',
    async ({ block }) => {
      const env = await emptyHome();
      mkdirSync(join(env['HOME'] ?? '', '.openclaw'), { mode: 0o700, recursive: true });
      writeFileSync(join(env['HOME'] ?? '', '.openclaw', 'openclaw.json'), block.text, { mode: 0o600 });
      const named = [...block.text.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name = '']) => [name, KEY.trim()]);
      const { code, said } = await type('openclaw config validate --strict', { ...env, ...Object.fromEntries(named) });
      expect(code, said).toBe(0);
    },
  );

  /** Everything in backticks that begins with our name is a command that exists, with the options that it has. */
  const inline = PAGES.flatMap((page) =>
    [...readFileSync(join(REPO, page), 'utf8').matchAll(/`openclaw ([a-z][^`]*)`/g)].map(([, words = '']) => words),
  );
  test('every command that a sentence names exists, with the options that it is named with', async () => {
    const env = await emptyHome();
    for (const words of new Set(inline)) {
      const [head = ''] = words.split(/ \\?\||[<…]/);
      const flags = head.match(/--[a-z-]+/g) ?? [];
      const path = head.split(/\s+/).filter((word) => /^[a-z][a-z|-]*$/.test(word));
      const [command = '', sub = ''] = path;
      const alternatives = sub.includes('|') ? sub.split('|') : [sub];
      for (const one of alternatives) {
        let answer = await type(`openclaw ${command} ${one} --help`, env);
        if (answer.code !== 0) answer = await type(`openclaw ${command} --help`, env);
        expect(answer.code, `openclaw ${words}\n${answer.said}`).toBe(0);
        for (const flag of flags) expect(answer.said, `openclaw ${words}`).toContain(flag);
      }
    }
  });
});
