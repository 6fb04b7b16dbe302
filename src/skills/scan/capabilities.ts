// Owns what a skill would need: what its head declares, and what is seen in it. For the owner to compare; nothing is granted
// by it, and nothing seen means only that nothing was written down plainly.
import type { Declared } from '../frontmatter.ts';
import type { ScannedText } from './rule.ts';

type Both = { readonly declared: readonly string[]; readonly seen: readonly string[] };
export type Capabilities = { readonly hosts: Both; readonly env: Both; readonly bins: Both; readonly files: Both };

const MAX_EACH = 40;
const HOSTS = /\b(?:https?|wss?|ftp):\/\/(?:[^\s/@'"`<>]{1,80}@)?([a-z0-9](?:[a-z0-9.-]{0,200}[a-z0-9])?)(?=[\s:/?#'"`)\]>,;]|$)/gi; // biome-ignore format: one pattern
const ENV = /\$\{?([A-Z][A-Z0-9_]{2,60})\b|process\.env(?:\.|\[['"])([A-Z][A-Z0-9_]{2,60})|os\.(?:environ(?:\.get)?|getenv)\s{0,2}[([]\s{0,2}['"]([A-Z][A-Z0-9_]{2,60})|\$env:([A-Z][A-Z0-9_]{2,60})|ENV\[['"]([A-Z][A-Z0-9_]{2,60})/g; // biome-ignore format: one pattern
const USUAL_ENV = new Set([
  'HOME',
  'PATH',
  'PWD',
  'USER',
  'IFS',
  'BASH_SOURCE',
  'SHELL',
  'TMPDIR',
  'LANG',
  'RANDOM',
  'EOF',
]);
const FILES = /(?<![\w:/.])(~\/[\w./-]{1,120}|\/(?:etc|var|usr|opt|home|root|tmp|dev|proc|sys|Library|Users|Applications)\/[\w./-]{1,120}|\$HOME\/[\w./-]{1,120})/g; // biome-ignore format: one pattern
const BINS = /(?:^|[;&|]\s{0,3}|\$\(\s{0,2}|`\s{0,2})(?:sudo\s+|exec\s+|time\s+|[A-Z_]{2,30}=\S{0,60}\s+){0,3}([a-z][a-z0-9._+-]{1,30})(?=\s|$)/gm; // biome-ignore format: one pattern
const WORDS = new Set(
  `if then else elif fi for do done while until case esac in function return export local set echo printf cd read exit shift
  test true false unset trap eval source declare readonly wait break continue let print import from const var def class`.split(
    /\s+/,
  ),
);

export function capabilitiesOf(declared: Declared, texts: readonly ScannedText[]): Capabilities {
  const [hosts, env, bins, files] = [new Set<string>(), new Set<string>(), new Set<string>(), new Set<string>()];
  for (const { path, text, isScript } of texts) {
    for (const [, host = ''] of text.matchAll(HOSTS)) hosts.add(host.toLowerCase());
    for (const [, ...names] of text.matchAll(ENV)) {
      const name = names.find((one) => one !== undefined) ?? '';
      if (!USUAL_ENV.has(name)) env.add(name);
    }
    for (const [, file = ''] of text.matchAll(FILES)) files.add(file);
    for (const block of isScript ? shellOf(path, text) : fencedShell(text))
      for (const [, name = ''] of block.matchAll(BINS)) if (!WORDS.has(name)) bins.add(name);
  }
  const both = (given: readonly string[], seen: Set<string>): Both => ({ declared: cut(given), seen: cut([...seen]) });
  return {
    hosts: both([], hosts),
    env: both(declared.env, env),
    bins: both(declared.bins, bins),
    files: both([], files),
  };
}

const cut = (list: readonly string[]): string[] => [...new Set(list)].sort().slice(0, MAX_EACH);
const shellOf = (path: string, text: string): string[] =>
  /\.(?:sh|bash|zsh|command)$/.test(path) || /^#!\S{0,40}\b(?:ba|z|da)?sh\b/.test(text) ? [text] : [];
const fencedShell = (text: string): string[] =>
  [...text.matchAll(/^\s{0,8}```(?:sh|bash|zsh|shell|console)\s*\n([\s\S]{0,20000}?)^\s{0,8}```/gm)].map(
    ([, inner = '']) => inner,
  );
