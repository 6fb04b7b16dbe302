// Owns which files of this machine make up an image: those of a few Debian packages and of what they need, as dpkg lists
// them. It must never take what no package brought: keys, accounts, logs and settings of the machine are none of these.
import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { HardshellError } from '../../platform/errors.ts';
import { run } from '../../platform/process/process.ts';
import { BASE_ENVIRONMENT } from '../environment.ts';
import { findProgram } from '../programs.ts';

const NEEDED = ['bash', 'coreutils', 'dash', 'findutils', 'grep', 'libc-bin', 'perl-base', 'sed', 'tar'];
const WANTED = `base-files bsdutils bzip2 ca-certificates curl diffutils file gawk git gzip jq less
  libarchive-tools mawk mount patch perl procps python3 ripgrep unzip util-linux xz-utils zip zstd`.split(/\s+/);
/** Documentation and translations, which no command needs; nothing of /etc and /var, which are this machine's own. */
const LEFT_OUT =
  /^\/(etc|var|run|home|root|boot|dev|proc|sys|tmp|opt|usr\/local)(\/|$)|^\/usr\/share\/(doc|info|locale|man|lintian|bug|i18n\/locales)(\/|$)/;

type Installed = { readonly status: string; readonly needs: readonly string[]; readonly provides: readonly string[] };

/** Absolute paths, sorted; folders before what is in them, links as links. */
export async function packagedFiles(): Promise<string[]> {
  const dpkg = findProgram('dpkg-query');
  if (dpkg === undefined) throw noPackages('this machine has no Debian packages to make an image of');
  const format = '${binary:Package}\\t${db:Status-Status}\\t${Pre-Depends}, ${Depends}\\t${Provides}\\n';
  const installed = parseInstalled(await ask(dpkg, ['--show', `--showformat=${format}`]));
  const missing = NEEDED.find((name) => !installed.has(name));
  if (missing !== undefined) throw noPackages(`the package ${missing} is not installed`, `apt install ${missing}`);
  const names = closure([...NEEDED, ...WANTED], installed);
  const listed = (await ask(dpkg, ['--listfiles', ...names])).split('\n').filter((path) => path.startsWith('/'));
  const files = new Set<string>();
  for (const path of listed) {
    const real = realPlace(path);
    if (real !== null && real !== '/' && !LEFT_OUT.test(real)) files.add(real);
  }
  for (const link of alternatives(files)) files.add(link);
  return [...files].sort();
}

export function parseInstalled(text: string): Map<string, Installed> {
  const found = new Map<string, Installed>();
  const nameOf = (one: string): string => one.trim().replace(/[\s(:].*$/, '');
  for (const line of text.split('\n')) {
    const [name = '', status = '', needs = '', provides = ''] = line.split('\t');
    if (status !== 'installed') continue;
    const entry = {
      status: name,
      needs: needs.split(/[,|]/).map(nameOf).filter(Boolean),
      provides: provides.split(',').map(nameOf).filter(Boolean),
    };
    for (const alias of [nameOf(name), ...entry.provides]) if (!found.has(alias)) found.set(alias, entry);
    found.set(nameOf(name), entry);
  }
  return found;
}

/** Of alternatives (`a | b`), all that are installed: it is the same machine, and only one of them was needed there. */
export function closure(names: readonly string[], installed: ReadonlyMap<string, Installed>): string[] {
  const taken = new Set<string>();
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const one = installed.get(name);
    if (one === undefined || taken.has(one.status)) continue;
    taken.add(one.status);
    open.push(...one.needs);
  }
  return [...taken].sort();
}

/** With the links in its folder resolved (`/bin/sh` is `/usr/bin/sh`), and null when it is not there. */
function realPlace(path: string): string | null {
  try {
    lstatSync(path);
    const folder = realpathSync(dirname(path));
    return `${folder === '/' ? '' : folder}/${basename(path)}`;
  } catch {
    return null;
  }
}

/** Links such as /usr/bin/awk, which belong to no package, when they lead to a file that is taken. */
function alternatives(files: ReadonlySet<string>): string[] {
  return ['/usr/bin', '/usr/sbin'].flatMap((folder) =>
    readdirSync(folder).flatMap((name) => {
      const link = `${folder}/${name}`;
      try {
        const to = readlinkSync(link);
        return to.startsWith('/etc/alternatives/') && files.has(realpathSync(link)) ? [link, to] : [];
      } catch {
        return [];
      }
    }),
  );
}

async function ask(program: string, args: readonly string[]): Promise<string> {
  const result = await run([program, ...args], {
    ...{ cwd: '/', env: BASE_ENVIRONMENT, timeoutMs: 30_000, maxOutputBytes: 64 * 1024 ** 2 },
  });
  if (result.exitCode === 0) return result.stdout;
  throw noPackages(`dpkg does not answer: ${result.failed ?? result.stderr.trim().split('\n')[0]}`);
}

function noPackages(message: string, fix = 'build an image elsewhere and name it with --image'): HardshellError {
  return new HardshellError({ code: 'NO_IMAGE', message, fix });
}
