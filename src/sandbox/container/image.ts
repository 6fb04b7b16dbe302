// Owns making the image that commands run in, out of packages of this machine: nothing is fetched, and nothing of the
// machine's own settings, accounts or keys is in it. It must never write a file here: the image goes to the engine as it
// is made.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { HardshellError } from '../../platform/errors.ts';
import { findProgram } from '../programs.ts';
import { type Layout, layoutFor, SANDBOX_ID } from '../walls/layout.ts';
import { coverableFolder } from '../walls/stage.ts';
import { DEFAULT_IMAGE, type EngineOptions, engineFailure, findEngine } from './engine.ts';
import { packagedFiles } from './packages.ts';

export type BuildOptions = EngineOptions & {
  readonly image?: string;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
};

export type BuiltImage = {
  readonly image: string;
  readonly id: string;
  readonly files: number;
  readonly bytes: number;
};

/** So that the same packages give the same image. */
const MADE_AT_SECONDS = 1_577_836_800;
const REFERENCE = /^[a-z0-9][a-z0-9._/-]{0,127}(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$/;
const NOTHING = { workspaceAccess: 'ro', network: 'none', fixedFiles: [], hidden: [] } as const;
/** Made by us; an engine takes no path twice. */
const FOLDERS = [
  ...['/dev', '/etc', '/etc/alternatives', '/etc/ssl', '/etc/ssl/certs', '/proc', '/sys', '/tmp', '/usr', '/workspace'],
];
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
/** Far more than these packages have. */
const MAX_BYTES = 2 * 1024 ** 3;
const MAX_SAID_CHARS = 10_000;
const SHOW_EVERY_BYTES = 100 * 1024 ** 2;

export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  const image = options.image ?? DEFAULT_IMAGE;
  if (!REFERENCE.test(image))
    throw failed(`${JSON.stringify(image)} cannot be the name of an image`, `--image ${DEFAULT_IMAGE}`);
  const engine = findEngine(options);
  const tar = findProgram('tar');
  if (tar === undefined) throw failed('there is no tar', 'apt install tar');
  // Before all the work: an engine that is down takes nothing.
  const answered = await engine.ask(['version']);
  if (answered.exitCode !== 0) throw engineFailure(engine, answered.stderr, image);
  const say = options.onProgress ?? (() => {});
  say('looking for the packages to put in');
  const layout = await layoutFor({ ...NOTHING, workspace: coverableFolder([homedir()]) });
  const made = new Set([...FOLDERS, ...layout.links.map(({ at }) => at), ...layout.files.map(({ at }) => at)]);
  const files = [...new Set([...(await packagedFiles()), ...etcFiles(layout)])].filter((path) => !made.has(path));
  say(`packing ${files.length} files for ${engine.name}`);
  const [client = '', ...words] = engine.argv;
  const change = ['--change', 'ENV PATH=/usr/local/bin:/usr/bin:/bin', '--change', 'CMD ["/bin/sh"]'];
  const into = spawn(client, [...words, 'import', ...change, '-', image], { ...childOptions, env: { ...engine.env } });
  const from = spawn(tar, TAR, { ...childOptions, env: { PATH: '/usr/bin:/bin', LANG: 'C' } });
  const stop = (): void => void [into, from].map((child) => child.kill('SIGKILL'));
  options.signal?.addEventListener('abort', stop, { once: true });
  const said = { out: textOf(into.stdout), err: textOf(into.stderr), tar: textOf(from.stderr) };
  for (const child of [into, from]) child.stdin.on('error', () => {});
  const [imported, packed] = [once(into, 'close'), once(from, 'close')];
  let bytes = 0;
  try {
    into.stdin.write(madeEntries(layout));
    from.stdout.on('data', (chunk: Buffer) => {
      if (Math.floor((bytes + chunk.length) / SHOW_EVERY_BYTES) > Math.floor(bytes / SHOW_EVERY_BYTES)) {
        say(`${Math.round((bytes + chunk.length) / 1024 ** 2)} MB`);
      }
      bytes += chunk.length;
      if (bytes > MAX_BYTES) stop();
    });
    from.stdout.pipe(into.stdin);
    from.stdin.end(files.map((path) => `.${path}\0`).join(''));
    await finished(from.stdout).catch(() => {});
    const [[code], [tarCode]] = await Promise.all([imported, packed]);
    if (options.signal?.aborted === true) throw failed('it was stopped', 'openclaw sandbox build');
    if (code !== 0) throw engineFailure(engine, said.err(), image);
    if (tarCode !== 0) throw failed(`tar: ${said.tar().trim().split('\n')[0]}`, 'openclaw sandbox build');
  } finally {
    options.signal?.removeEventListener('abort', stop);
    stop();
  }
  const id = said.out().trim().split('\n').at(-1) ?? '';
  say(`${image}: ${files.length} files, ${Math.round(bytes / 1024 ** 2)} MB`);
  return { image, id, files: files.length, bytes };
}

/** The end of what is said there. */
function textOf(from: Readable): () => string {
  let text = '';
  from.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-MAX_SAID_CHARS);
  });
  return () => text;
}

const childOptions = { cwd: '/', stdio: 'pipe', detached: true } as const;

/** Names come in on stdin; what was setuid on the machine is not in the image. */
const TAR = [
  ...['--create', '--file=-', '--format=gnu', '--directory=/', '--no-recursion', '--null', '--verbatim-files-from'],
  ...[
    '--files-from=-',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=u-s,g-s,o-w,go=rX',
    `--mtime=@${MADE_AT_SECONDS}`,
  ],
];

/** Of /etc, what bubblewrap's sandbox shows of it too: nothing that names a person, a key, a network or a service. */
function etcFiles(layout: Layout): string[] {
  return [...layout.readOnly, CERTIFICATES].filter(
    (path) => path.startsWith('/etc/') && existsSync(path) && lstatSync(path).isFile(),
  );
}

/** What no package brings: the top of the tree and the accounts. */
function madeEntries(layout: Layout): Buffer {
  return Buffer.concat([
    ...FOLDERS.map((path) => entry(`${path.slice(1)}/`, '5', '')),
    ...layout.links.map(({ at, to }) => entry(at.slice(1), '2', '', to)),
    ...layout.files.map(({ at, text, isProgram }) => entry(at.slice(1), '0', text, '', isProgram)),
  ]);
}

/** One entry of the ustar format. */
function entry(name: string, type: '0' | '2' | '5', text: string, target = '', isProgram = false): Buffer {
  const body = Buffer.from(text);
  const header = Buffer.alloc(512);
  const octal = (value: number, width: number): string => value.toString(8).padStart(width - 1, '0');
  const mode = type === '5' ? (name === 'tmp/' ? 0o1777 : 0o755) : isProgram ? 0o755 : 0o644;
  header.write(name, 0);
  header.write(octal(mode, 8), 100);
  // Whatever is mounted there instead, this one is an ordinary user's.
  const owner = name === 'workspace/' ? SANDBOX_ID : 0;
  for (const at of [108, 116]) header.write(octal(owner, 8), at);
  header.write(octal(body.length, 12), 124);
  header.write(octal(MADE_AT_SECONDS, 12), 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(target, 157);
  header.write('ustar\x0000', 257);
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      7,
    )}\0 `,
    148,
  );
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

function failed(why: string, fix: string): HardshellError {
  return new HardshellError({ code: 'NO_IMAGE', message: `no image was made: ${why}`, fix });
}
