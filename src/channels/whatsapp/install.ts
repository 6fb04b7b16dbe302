// Owns the code of the side process: copied from what we ship, its packages fetched on demand by npm from their own lock
// file, no script run. It must never start what does not match that lock file.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HardshellError } from '../../platform/errors.ts';
import { ensureFolder, replaceFile, tryReadText } from '../../platform/files.ts';
import { run } from '../../platform/process/process.ts';

const PARTS = ['package.json', 'package-lock.json', 'sidecar.mjs', 'connection.mjs', 'messages.mjs', 'files.mjs', 'guard.mjs'] as const; // biome-ignore format: a list of files
const NPM_ENV = ['PATH', 'HOME', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'NPM_CONFIG_USERCONFIG', 'NPM_CONFIG_REGISTRY', 'npm_config_registry'] as const; // biome-ignore format: a list of names
const STAMP = '.installed';
const PACKAGES = '.packages';
const INSTALL_WITHIN_MS = 10 * 60_000;

/** Below the state folder, whatever the account. */
export const codeFolderOf = (stateDir: string): string => join(stateDir, 'extras', 'whatsapp');

/** What we ship, seen from src/ and from a chunk of the bundle. */
function shippedFolder(): string {
  for (const up of ['../../../', '../../', '../']) {
    const folder = fileURLToPath(new URL(`${up}extras/whatsapp/`, import.meta.url));
    if (existsSync(join(folder, 'sidecar.mjs'))) return folder;
  }
  throw new HardshellError({
    code: 'EXTRA_MISSING',
    message: 'the files of the WhatsApp part are not there',
    fix: 'install Hardshell again',
  });
}

const digestOf = (folder: string): string =>
  PARTS.reduce((hash, name) => hash.update(readFileSync(join(folder, name))), createHash('sha256')).digest('hex');

export const isInstalled = (codeFolder: string): boolean =>
  tryReadText(join(codeFolder, STAMP)) === digestOf(shippedFolder());

export type SideState = {
  readonly name: string;
  readonly state: 'absent' | 'intact' | 'changed';
  readonly why: string;
  /** of its packages, as they are */
  readonly hash: string;
};

/** Compares every file with what we ship, and every file of its packages with what npm put there. */
export function sideState(stateDir: string): SideState {
  const folder = codeFolderOf(stateDir);
  const name = 'whatsapp';
  if (!existsSync(join(folder, STAMP))) return { name, state: 'absent', why: '', hash: '' };
  const from = shippedFolder();
  const other = PARTS.find((part) => !sameFile(join(from, part), join(folder, part)));
  const hash = packagesHash(join(folder, 'node_modules'));
  if (other !== undefined) return { name, state: 'changed', why: `${other} is not the one that we ship`, hash };
  const pinned = tryReadText(join(folder, PACKAGES));
  if (pinned !== null && pinned !== hash)
    return { name, state: 'changed', why: 'its packages are not what npm put there', hash };
  const why = pinned === null ? 'its packages were not pinned when they came; install it anew to have them pinned' : '';
  return { name, state: 'intact', why, hash };
}

const sameFile = (a: string, b: string): boolean => existsSync(b) && readFileSync(a).equals(readFileSync(b));

function packagesHash(folder: string): string {
  const hash = createHash('sha256');
  const inside = (at: string, below: string): void => {
    if (!existsSync(at)) return;
    for (const one of readdirSync(at, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const [path, shown] = [join(at, one.name), `${below}/${one.name}`];
      if (one.isDirectory()) inside(path, shown);
      else {
        const content = one.isSymbolicLink() ? readlinkSync(path) : one.isFile() ? readFileSync(path) : 'neither';
        hash.update(`${shown}\0`).update(createHash('sha256').update(content).digest());
      }
    }
  };
  inside(folder, '');
  return hash.digest('hex');
}

/** Copies the code and lets npm fetch what the lock file names. About a minute at first; nothing when it is there. */
export async function installSide(
  codeFolder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (isInstalled(codeFolder)) return;
  const from = shippedFolder();
  ensureFolder(codeFolder);
  for (const name of PARTS) replaceFile(join(codeFolder, name), readFileSync(join(from, name)));
  const npm = npmBeside(env['PATH'] ?? '');
  const result = await run(
    [
      ...npm,
      'ci',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--omit=dev',
      '--legacy-peer-deps',
      '--fetch-retries=1',
    ],
    {
      cwd: codeFolder,
      // What npm needs to find its registry and cache, and nothing that is ours.
      env: Object.fromEntries(NPM_ENV.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
      timeoutMs: INSTALL_WITHIN_MS,
      maxOutputBytes: 20_000,
    },
  );
  if (result.exitCode !== 0) {
    const lines = (result.failed ?? result.stderr).trim().split('\n');
    const said = lines.find((line) => line.startsWith('npm error ')) ?? lines.at(-1) ?? '';
    throw new HardshellError({
      code: 'EXTRA_NOT_INSTALLED',
      message: `npm could not install the WhatsApp part: ${said.slice(0, 200)}`,
      fix: 'look at the network and at `npm config get registry`, then openclaw channels login whatsapp',
    });
  }
  replaceFile(join(codeFolder, PACKAGES), packagesHash(join(codeFolder, 'node_modules')));
  replaceFile(join(codeFolder, STAMP), digestOf(from));
}

/** The npm of the person who starts it; with Node's own folder looked at first. */
function npmBeside(path: string): [string] {
  const folders = [dirname(process.execPath), ...path.split(':')];
  const found = folders.map((folder) => join(folder, 'npm')).find((file) => file.startsWith('/') && existsSync(file));
  if (found) return [found];
  throw new HardshellError({
    code: 'NPM_MISSING',
    message: 'WhatsApp needs npm to fetch its part, and npm is not on the PATH',
    fix: 'install npm, then openclaw channels login whatsapp',
  });
}
