// Every config block of the guides, started with the real program, and looked at from outside: the port, the address, the
// 401. A block whose example secret nobody replaced does not start, and says in one line why.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'vitest';
import { cleanEnv, entry, freePort, newHome } from '../support/gateway.ts';

const FIXTURES = join(import.meta.dirname, '..', 'guides', 'fixtures');
const STRONG = '9f2c4e8a1b7d3f60c5e9a2b4d8f1037c6ae5b9d2f4817c3069ad5eb2f8c41739';

const fixture = (name: string): string =>
  readFileSync(join(FIXTURES, readdirSync(FIXTURES).find((one) => one.startsWith(`${name}-`)) ?? name), 'utf8');

type Started = { readonly code: number | null; readonly port: string; readonly token: string; readonly output: string };

/** Ready, or ended with a code; stopped when the test is over. Several at a time, since most of it is waiting. */
async function start(
  context: TestContext,
  text: string,
  env: Record<string, string>,
  file = 'openclaw.json',
): Promise<Started> {
  const home = newHome();
  mkdirSync(join(home, '.openclaw'), { mode: 0o700 });
  writeFileSync(join(home, '.openclaw', file), text, { mode: 0o600 });
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  const child = spawn(process.execPath, [...entry(), 'gateway', 'run'], {
    cwd: home,
    env: cleanEnv(home, env),
    stdio: [...stdio],
  });
  context.onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'close');
    }
    rmSync(home, { recursive: true, force: true });
  });
  let output = '';
  return new Promise((resolve) => {
    const collect = (chunk: string): void => {
      output += chunk;
      const ready = /ready: http:\/\/[^:]+:(\d+)\/#token=(\S+)/.exec(output);
      if (ready) resolve({ code: null, port: ready[1] ?? '', token: ready[2] ?? '', output });
    };
    child.stdout?.setEncoding('utf8').on('data', collect);
    child.stderr?.setEncoding('utf8').on('data', collect);
    child.once('close', (code) => resolve({ code: code ?? -1, port: '', token: '', output }));
  });
}

const status = async (port: string, path: string, token?: string): Promise<number> =>
  (
    await fetch(
      `http://127.0.0.1:${port}${path}`,
      token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
    )
  ).status;

/** Whether somebody listens there. */
const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const end = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket
      .once('connect', () => end(true))
      .once('error', () => end(false))
      .once('timeout', () => end(false));
  });

const outside = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

type Block = {
  rows: string;
  name: string;
  change?: [string, string];
  env?: Record<string, string>;
  file?: string;
  port?: '18789' | '3000';
  token?: true;
};

const STARTS: readonly Block[] = [
  { rows: 'S026', name: 'a-079' },
  { rows: 'S031 S032 S033', name: 'a-108' },
  { rows: 'S035 S036', name: 'a-128' },
  { rows: 'S038 S039', name: 'a-151' },
  { rows: 'S042 S044 S052', name: 'a-171', port: '18789' },
  { rows: 'S042', name: 'a-188' },
  { rows: 'S048', name: 'a-202' },
  { rows: 'S060', name: 'a-277' },
  {
    rows: 'S099 S103 S104 S087',
    name: 'b-113',
    change: ['your-long-random-secret-token-here', STRONG],
    file: 'config.json',
    port: '3000',
    token: true,
  },
  { rows: 'S122', name: 'b-209', env: { ANTHROPIC_API_KEY: 'sk-ant-api03-k2Jx8' } },
  {
    rows: 'S146 S147 S148',
    name: 'c-008',
    change: ['replace-with-a-long-random-string', STRONG],
    port: '18789',
    token: true,
  },
  { rows: 'S162', name: 'c-036' },
  { rows: 'S176 S177', name: 'c-079' },
  { rows: 'S210 S211 S212 S213', name: 'd-075' },
  { rows: 'S242 S243', name: 'e-038', port: '18789' },
  { rows: 'S245 S247 S248', name: 'e-052', change: ['your-generated-token-here', STRONG], token: true },
  { rows: 'S251', name: 'e-068', change: ['your-telegram-user-id', '1303993020'] },
  { rows: 'S255', name: 'e-081' },
  { rows: 'S271', name: 'e-134' },
];

test.concurrent.for(STARTS)(
  '$rows block $name starts, on loopback only, and nobody gets in without the token',
  async ({ name, change = ['', ''], env = {}, file, port, token }, context) => {
    const { expect } = context;
    const free = String(await freePort());
    const text = fixture(name)
      .replace(change[0], change[1])
      .replace(port ?? 'no port', free);
    const started = await start(context, text, { ...env, ...(port ? {} : { OPENCLAW_GATEWAY_PORT: free }) }, file);
    expect([started.code, started.output]).toEqual([null, expect.stringContaining('ready')]);
    expect(started.port).toBe(free);
    if (token) expect(started.token).toBe(STRONG);
    for (const path of ['/api/status', '/v1/status']) {
      expect([path, await status(free, path)]).toEqual([path, 401]);
      expect([path, await status(free, path, 'your-token')]).toEqual([path, 401]);
      expect([path, await status(free, path, started.token)]).toEqual([path, 200]);
    }
    if (outside) expect(await answers(outside, Number(free))).toBe(false);
  },
);

const REFUSED: readonly { rows: string; text: string; line: RegExp }[] = [
  { rows: 'S064', text: fixture('a-302'), line: /channels\.telegram\.botToken is the name of an environment variable/ },
  { rows: 'S099', text: fixture('b-113'), line: /gateway\.auth\.token is an example from a guide/ },
  { rows: 'S115', text: fixture('b-181'), line: /pairing\.autoApprove lets every stranger in/ },
  { rows: 'S123', text: fixture('b-209'), line: /uses \$\{ANTHROPIC_API_KEY\}, and that variable is not set/ },
  { rows: 'S149', text: fixture('c-008'), line: /gateway\.auth\.token is an example from a guide/ },
  { rows: 'S245', text: fixture('e-052'), line: /gateway\.auth\.token is an example from a guide/ },
  { rows: 'S251', text: fixture('e-068'), line: /"your-telegram-user-id" is an example/ },
  {
    rows: 'S049',
    text: `{ gateway: { tailscale: { mode: 'funnel' }, auth: { token: '${STRONG}' } } }`,
    line: /needs gateway\.auth\.mode "password"/,
  },
  { rows: 'S243', text: fixture('e-038').replace('127.0.0.1', '0.0.0.0'), line: /lets a network reach the gateway/ },
];

test.concurrent.for(REFUSED)(
  '$rows does not start as it is printed: one line, and 78',
  async ({ text, line }, context) => {
    const { expect } = context;
    const { code, output } = await start(context, text, {});
    expect(code).toBe(78);
    expect(output).toMatch(line);
    expect(output).not.toMatch(/\n\s+at /);
  },
);

test.concurrent('S129 a workspace that this user cannot make is one line, not half a start', async (context) => {
  const { expect } = context;
  const text = fixture('b-246').replaceAll('/home/openclaw', '/proc/openclaw');
  const { code, output } = await start(context, text, { OPENCLAW_GATEWAY_PORT: String(await freePort()) });
  expect(code).toBeGreaterThan(0);
  expect(output).not.toMatch(/\n\s+at /);
});

test.concurrent('S129 the folders of guide B, where this user may make them', async (context) => {
  const free = String(await freePort());
  const folder = newHome();
  context.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const text = fixture('b-246').replaceAll('/home/openclaw', folder);
  const { port, output } = await start(context, text, { OPENCLAW_GATEWAY_PORT: free });
  context.expect([port, output]).toEqual([free, context.expect.stringContaining('ready')]);
});
