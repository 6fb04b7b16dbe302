// Owns how a container engine is asked: by its own client, with an argv and never a shell, in the environment that the
// client needs and no more. It must never ask an engine for a right that a sandbox does not have.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import type { HardshellError } from '../../platform/errors.ts';
import { type RunResult, run } from '../../platform/process/process.ts';
import { unusable } from '../driver.ts';
import { BASE_ENVIRONMENT } from '../environment.ts';
import { findProgram, isExecutable } from '../programs.ts';

export type EngineName = 'docker' | 'podman';

export type EngineOptions = {
  readonly engine: EngineName;
  /** absolute path of the client, and words that come before each command, such as `-H unix:///…` */
  readonly client?: readonly string[];
  /** of the gateway's own environment, what tells the client where its engine is (DOCKER_HOST, …) */
  readonly env?: Readonly<Record<string, string>>;
};

export type Engine = {
  readonly name: EngineName;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** podman started by an ordinary user: the engine has that user's rights, and its root is that user */
  readonly rootless: boolean;
  ask(args: readonly string[], timeoutMs?: number): Promise<RunResult>;
};

export const DEFAULT_IMAGE = 'openclaw-sandbox:bookworm-slim';

const INSTALL = { docker: 'apt install docker.io', podman: 'apt install podman uidmap' } as const;
const CLIENT_VARIABLES = [
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_CONFIG',
  'CONTAINER_HOST',
  'XDG_RUNTIME_DIR',
  'XDG_DATA_HOME',
];
const ASK_MS = 15_000;

/** Throws when the client is not installed; whether the engine answers shows when it is asked. */
export function findEngine(options: EngineOptions): Engine {
  const name = options.engine;
  const argv = options.client ?? [findProgram(name) ?? ''];
  if (!isExecutable(argv[0] ?? '')) throw unusable(name, `${name} is not installed`, INSTALL[name]);
  const env = environmentOf(options.env ?? {});
  return {
    ...{ name, argv, env },
    rootless: name === 'podman' && process.geteuid?.() !== 0,
    ask: (args, timeoutMs = ASK_MS) => run([...argv, ...args], { cwd: '/', env, timeoutMs, maxOutputBytes: 1024 ** 2 }),
  };
}

function environmentOf(given: Readonly<Record<string, string>>): Record<string, string> {
  const env: Record<string, string> = { PATH: BASE_ENVIRONMENT['PATH'] ?? '', LANG: 'C.UTF-8', HOME: homedir() };
  const runtime = `/run/user/${process.geteuid?.()}`;
  if (existsSync(runtime)) env['XDG_RUNTIME_DIR'] = runtime;
  for (const key of CLIENT_VARIABLES) if (given[key] !== undefined) env[key] = given[key];
  return env;
}

/** What went wrong, in the words of the engine, and the one thing to do about it. */
export function engineFailure(engine: Pick<Engine, 'name'>, said: string, image: string): HardshellError {
  const line = said
    .split('\n')
    .map((one) => one.replace(/^(docker|Error|error|WARN\S*): ?/i, '').trim())
    .find((one) => one !== '' && !/^See '|^time=|^WARNING/.test(one));
  if (
    /cannot connect to the docker daemon|is the docker daemon running|connection refused|no such file or directory.*\.sock/i.test(
      said,
    )
  ) {
    return unusable(engine.name, 'the engine does not answer', `systemctl start ${engine.name}`);
  }
  if (/permission denied.*(socket|daemon)/i.test(said)) {
    const fix = 'use podman, or bubblewrap: whoever may talk to the docker socket is root';
    return unusable(engine.name, 'this user may not talk to the engine', fix);
  }
  if (/no such image|unable to find image|image not known|does not resolve to an image|locating image/i.test(said)) {
    return unusable(engine.name, `there is no image ${image}`, `openclaw sandbox build --engine ${engine.name}`);
  }
  if (/newuidmap|subuid|subgid/i.test(said)) {
    return unusable(
      engine.name,
      line ?? 'this user has no range of ids',
      'apt install uidmap, then usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER',
    );
  }
  return unusable(engine.name, line ?? 'the engine said nothing', `${engine.name} info`);
}
