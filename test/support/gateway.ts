// Owns real gateways in tests: each in a HOME of its own, on a free port, stopped by the process id that was started.
// It must never touch the HOME of the person who runs the tests, nor a process that it did not start.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectOptions, connectGateway, type WsClient } from './ws-client.ts';

export const REPO = join(import.meta.dirname, '..', '..');

export type GatewayOptions = {
  /** written to openclaw.json before the start; a string is written as it is */
  readonly config?: object | string;
  readonly env?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** a HOME from before, to start again on what an earlier gateway left */
  readonly home?: string;
  readonly args?: readonly string[];
  /** a program of the test's own, in place of ours with its arguments */
  readonly program?: string;
  readonly readyTimeoutMs?: number;
};

export interface TestGateway {
  readonly port: number;
  readonly url: string;
  readonly token: string;
  readonly home: string;
  readonly stateDir: string;
  readonly pid: number;
  /** milliseconds from the start of the process to the first hello-ok */
  readonly readyMs: number;
  /** what a command needs to find this gateway */
  readonly env: Readonly<Record<string, string>>;
  /** stdout and stderr so far */
  output(): string;
  connect(options?: Partial<ConnectOptions>): Promise<WsClient>;
  /** over one connection that is opened on first use */
  rpc(method: string, params?: unknown, timeoutMs?: number): Promise<Record<string, unknown>>;
  /** Runs one command of ours against this gateway. */
  cli(...args: string[]): Promise<CommandResult>;
  /** SIGTERM, wait for the exit; the HOME stays until `dispose`. Resolves to the exit code. */
  stop(): Promise<number | null>;
  kill9(): Promise<void>;
  /** stop and remove the HOME */
  dispose(): Promise<void>;
}

export type CommandResult = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;
};

const started = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

let built: boolean | undefined;
function isBuilt(): boolean {
  const sources = createRequire(import.meta.url)('../../bin/sources.cjs') as { isBuilt(repo: string): boolean };
  built ??= sources.isBuilt(REPO);
  return built;
}

/** For Node: the bundle when it was built from these sources, else the sources themselves (slower to start). */
export function entry(): readonly string[] {
  return [join(REPO, ...(isBuilt() ? ['dist', 'openclaw.mjs'] : ['src', 'cli', 'main.ts']))];
}

/** As a person types it, through the launcher; but the launcher would take a bundle that is out of date. */
function typed(args: readonly string[]): readonly [string, readonly string[]] {
  return isBuilt() ? [join(REPO, 'bin', 'openclaw.cjs'), args] : [process.execPath, [...entry(), ...args]];
}

/** A scrubbed environment: nothing of the person's own settings or keys reaches the program under test. */
export function cleanEnv(home: string, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const path = process.env['PATH'] ?? '/usr/bin:/bin';
  return { PATH: path, HOME: home, LANG: 'C.UTF-8', NO_COLOR: '1', OPENCLAW_NODE: process.execPath, ...extra };
}

/** None of those that a system gives to whoever asks for any port: nobody else takes it before a gateway does, or between its starts. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

export function newHome(): string {
  return mkdtempSync(join(tmpdir(), 'hardshell-test-'));
}

export function writeConfig(home: string, config: object | string): void {
  mkdirSync(join(home, '.openclaw'), { recursive: true, mode: 0o700 });
  const text = typeof config === 'string' ? config : JSON.stringify(config, null, 2);
  writeFileSync(join(home, '.openclaw', 'openclaw.json'), text, { mode: 0o600 });
}

/** Runs `openclaw ...` to its end. */
export async function runCommand(
  args: readonly string[],
  options: { home: string; env?: Readonly<Record<string, string>>; input?: string; timeoutMs?: number },
): Promise<CommandResult> {
  const startedAt = performance.now();
  const child = spawn(...typed(args), {
    env: cleanEnv(options.home, options.env),
    cwd: options.home,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  started.add(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 50_000);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.end(options.input);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  started.delete(child);
  return { code, stdout, stderr, wallMs: performance.now() - startedAt };
}

export async function startTestGateway(options: GatewayOptions = {}): Promise<TestGateway> {
  const home = options.home ?? newHome();
  const port = options.port ?? (await freePort());
  const stateDir = options.env?.['OPENCLAW_STATE_DIR'] ?? join(home, '.openclaw');
  if (options.config !== undefined) writeConfig(home, options.config);
  const env = { ...options.env, OPENCLAW_GATEWAY_PORT: String(port) };
  const startedAt = performance.now();
  const { program, args = [] } = options;
  const command = program ? ([process.execPath, [program]] as const) : typed(['gateway', 'run', ...args]);
  const child = spawn(...command, {
    env: cleanEnv(home, env),
    cwd: home,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  let output = '';
  const collect = (text: string): void => {
    output = (output + text).slice(-200_000);
  };
  child.stdout?.setEncoding('utf8').on('data', collect);
  child.stderr?.setEncoding('utf8').on('data', collect);
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      started.delete(child);
      resolve(code);
    });
  });

  const tokenFile = join(stateDir, 'credentials', 'gateway-token');
  const token = (): string =>
    options.env?.['OPENCLAW_GATEWAY_TOKEN'] ?? (existsSync(tokenFile) ? readFileSync(tokenFile, 'utf8').trim() : '');
  const connect = (extra: Partial<ConnectOptions> = {}): Promise<WsClient> =>
    connectGateway({ port, token: token(), ...extra });

  const hello = waitForHello(connect, options.readyTimeoutMs ?? 40_000, () => child.exitCode !== null);
  const first = await Promise.race([exited, hello]).catch(async (error: unknown) => {
    child.kill('SIGKILL');
    await exited;
    throw new Error(`the gateway did not become ready: ${String(error)}\n${output}`);
  });
  const readyMs = performance.now() - startedAt;
  if (first === null || typeof first === 'number') {
    throw new Error(`the gateway ended with ${first} before it was ready\n${output}`);
  }

  let client: WsClient | undefined = first;
  const signal = async (name: NodeJS.Signals): Promise<number | null> => {
    await client?.close();
    client = undefined;
    if (child.exitCode === null && child.signalCode === null) child.kill(name);
    return exited;
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    token: token(),
    home,
    stateDir,
    pid: child.pid ?? 0,
    readyMs,
    env,
    output: () => output,
    connect,
    rpc: async (method, params, timeoutMs) => {
      client ??= await connect();
      return client.request(method, params, timeoutMs);
    },
    cli: (...args) => runCommand(args, { home, env }),
    stop: () => signal('SIGTERM'),
    kill9: async () => {
      await signal('SIGKILL');
    },
    dispose: async () => {
      // Without the kill a gateway that hangs on SIGTERM would hang the test run, not fail it.
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await signal('SIGTERM');
      clearTimeout(timer);
      rmSync(home, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Dials until the gateway says hello: there is no event to await before the port is open. */
async function waitForHello(
  connect: () => Promise<WsClient>,
  timeoutMs: number,
  isOver: () => boolean,
): Promise<WsClient> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (isOver() || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
