// Owns what the configuration of an SSH server means: includes in their place, the first value counts, Match blocks apart.
// It reads files alone; what is in force in a server that was not started again it cannot know.
import { join } from 'node:path';
import { namesIn, read } from '../../looking.ts';

export type Sshd = {
  /** by lower-case key, the value that counts for everybody */
  readonly values: ReadonlyMap<string, string>;
  /** keys that a Match block sets to something else for some */
  readonly matched: readonly { readonly match: string; readonly key: string; readonly value: string }[];
  readonly ports: readonly string[];
  readonly problems: readonly string[];
};

const MAX_DEPTH = 8;
/** What sshd does when nothing is written. */
const DEFAULTS: Readonly<Record<string, string>> = {
  passwordauthentication: 'yes',
  kbdinteractiveauthentication: 'yes',
  permitrootlogin: 'prohibit-password',
  permitemptypasswords: 'no',
  pubkeyauthentication: 'yes',
  maxauthtries: '6',
  x11forwarding: 'no',
  usepam: 'no',
};
const OTHER_NAMES: Readonly<Record<string, string>> = {
  challengeresponseauthentication: 'kbdinteractiveauthentication',
};

/** Null: there is no such configuration. */
export function readSshd(root: string): Sshd | null {
  const values = new Map<string, string>();
  const matched: { match: string; key: string; value: string }[] = [];
  const ports: string[] = [];
  const problems: string[] = [];
  let isThere = false;

  const readInto = (path: string, match: string, depth: number): void => {
    const { text, problem } = read(join(root, path));
    if (problem !== null) problems.push(problem);
    if (text === null) return;
    isThere = true;
    let inside = match;
    for (const line of text.split('\n')) {
      const [, word = '', rest = ''] = /^\s*([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+)"?(.*?)"?\s*$/.exec(line) ?? [];
      const lower = word.toLowerCase();
      const key = OTHER_NAMES[lower] ?? lower;
      const value = rest.replace(/\s+#.*$/, '');
      if (key === '') continue;
      // A Match block of an included file ends with that file.
      if (key === 'match') inside = /^all$/i.test(value) ? match : value;
      else if (key === 'include') {
        if (depth < MAX_DEPTH)
          for (const one of value.split(/\s+/)) for (const at of expand(root, one)) readInto(at, inside, depth + 1);
      } else if (inside !== '') matched.push({ match: inside, key, value: value.toLowerCase() });
      else if (key === 'port') ports.push(value);
      else if (!values.has(key)) values.set(key, value.toLowerCase());
    }
  };
  readInto('etc/ssh/sshd_config', '', 0);
  if (!isThere && problems.length === 0) return null;
  return { values, matched, ports: ports.length > 0 ? ports : ['22'], problems };
}

export const settingOf = ({ values }: Sshd, key: string): string => values.get(key) ?? DEFAULTS[key] ?? '';

/** Only the last part of a path has a pattern, as everywhere in practice. */
function expand(root: string, pattern: string): string[] {
  const whole = pattern.startsWith('/') ? pattern.slice(1) : `etc/ssh/${pattern}`;
  if (!/[*?]/.test(whole)) return [whole];
  const folder = whole.slice(0, whole.lastIndexOf('/'));
  const name = whole.slice(folder.length + 1).replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  const wanted = new RegExp(`^${name.replaceAll('*', '.*').replaceAll('?', '.')}$`);
  return namesIn(join(root, folder))
    .map((path) => path.slice(path.lastIndexOf('/') + 1))
    .filter((one) => wanted.test(one))
    .map((one) => `${folder}/${one}`);
}
