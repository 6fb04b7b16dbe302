// Owns what a file of a skill is, judged by its bytes: a text in some format, a picture that nothing runs, an archive, a
// program. A name may only make the judgement stricter.
import type { Format } from './reading.ts';

export type Kind =
  | { readonly kind: 'text'; readonly format: Format; readonly text: string; readonly isScript: boolean }
  | { readonly kind: 'archive'; readonly type: 'zip' | 'tar' | 'gzip' | 'closed' }
  | { readonly kind: 'program'; readonly what: string }
  | { readonly kind: 'unknown' };

const starts = (data: Buffer, ...heads: readonly string[]): boolean =>
  heads.some((head) => data.subarray(0, head.length).equals(Buffer.from(head, 'latin1')));

const SCRIPTS = /\.(?:sh|bash|zsh|fish|ksh|csh|py|pyw|js|mjs|cjs|ts|mts|cts|jsx|tsx|rb|pl|pm|php|lua|r|ps1|psm1|bat|cmd|vbs|vbe|wsf|hta|applescript|scpt|swift|go|rs|java|kt|groovy|tcl|awk|sed|ipynb|command|desktop|service|plist|mk|make|gradle|nix|sql|el|clj|ex|exs)$/i; // biome-ignore format: a list
const BUILD = /(?:^|\/)(?:makefile|dockerfile|justfile|rakefile|gemfile|procfile|vagrantfile|jenkinsfile)[^/]{0,20}$/i;
const MARKDOWN = /\.(?:md|mdx|markdown|txt|rst|adoc|html?)$/i;

export function kindOf(path: string, data: Buffer): Kind {
  if (data.length === 0) return { kind: 'text', format: 'data', text: '', isScript: false };
  if (starts(data, 'PK\x03\x04', 'PK\x05\x06')) return { kind: 'archive', type: 'zip' };
  if (starts(data, '\x1f\x8b')) return { kind: 'archive', type: 'gzip' };
  if (
    starts(
      data,
      '7z\xbc\xaf\x27\x1c',
      'Rar!',
      '\xfd7zXZ',
      'BZh',
      '\x28\xb5\x2f\xfd',
      'MSCF',
      'xar!',
      '\x04\x22\x4d\x18',
    )
  )
    return { kind: 'archive', type: 'closed' };
  if (data.length > 262 && data.toString('latin1', 257, 262) === 'ustar') return { kind: 'archive', type: 'tar' };
  if (starts(data, '\x7fELF')) return { kind: 'program', what: 'Linux' };
  if (starts(data, 'MZ') && data.includes(0)) return { kind: 'program', what: 'Windows' };
  if (starts(data, '\xcf\xfa\xed\xfe', '\xce\xfa\xed\xfe', '\xfe\xed\xfa\xcf', '\xfe\xed\xfa\xce')) return { kind: 'program', what: 'macOS' }; // biome-ignore format: one thought
  if (starts(data, '\xca\xfe\xba\xbe')) return { kind: 'program', what: 'Java or macOS' };
  if (starts(data, '\0asm')) return { kind: 'program', what: 'WebAssembly' };
  if (/\.(?:pyc|pyo|node|so|dylib|dll|exe|class|jar|wasm|scpt|dmg|pkg|msi|deb|rpm|apk|appimage)$/i.test(path)) return { kind: 'program', what: 'some machine' }; // biome-ignore format: one thought
  // Python runs an archive at the end of anything.
  if (isInert(data) && data.subarray(-MAX_ARCHIVE_END_BYTES).includes('PK\x05\x06'))
    return { kind: 'archive', type: 'closed' };
  if (isInert(data)) return { kind: 'text', format: 'code', text: wordsIn(data), isScript: true };
  const text = textOf(data);
  if (text === null) return { kind: 'unknown' };
  const isScript = SCRIPTS.test(path) || BUILD.test(path) || text.startsWith('#!');
  if (/\.ipynb$/i.test(path)) return { kind: 'text', format: 'code', text: cellsOf(text), isScript };
  const format = isScript ? 'code' : MARKDOWN.test(path) || !/\.\w{1,8}$/.test(path) ? 'markdown' : 'data';
  return { kind: 'text', format, text, isScript };
}

/** Pictures, sounds, fonts and the like. An SVG is a text, and so is a PDF that could hold a script. */
const isInert = (data: Buffer): boolean =>
  starts(
    data,
    '\x89PNG',
    '\xff\xd8\xff',
    'GIF8',
    'OggS',
    'ID3',
    'fLaC',
    'wOFF',
    'wOF2',
    '\0\x01\0\0',
    'OTTO',
    '\0\0\x01\0',
    'BM',
    'II*\0',
    'MM\0*',
  ) ||
  (starts(data, '%PDF') && !/\/(?:JavaScript|JS|Launch|OpenAction|EmbeddedFile)\b/.test(data.toString('latin1'))) ||
  (starts(data, 'RIFF') && /^(?:WEBP|WAVE|AVI )/.test(data.toString('latin1', 8, 12))) ||
  data.toString('latin1', 4, 8) === 'ftyp';

const MAX_ARCHIVE_END_BYTES = 65_557;

/** What a shell would find in it: to a shell `BM=1` is a variable, and the first bytes of a picture a command that is not there. */
const wordsIn = (data: Buffer): string => (data.toString('latin1').match(/[\t\n\r -~]{8,}/g) ?? []).join('\n');

function textOf(data: Buffer): string | null {
  if (starts(data, '\xff\xfe')) return `${data.toString('utf16le')}\n${wordsIn(data)}`;
  if (starts(data, '\xfe\xff')) {
    const even = Buffer.from(data.subarray(0, data.length & ~1));
    return `${even.swap16().toString('utf16le')}\n${wordsIn(data)}`;
  }
  return data.includes(0) ? null : data.toString('utf8');
}

/** What the cells of a notebook say, and all of it as it stands. */
function cellsOf(text: string): string {
  try {
    const { cells } = JSON.parse(text) as { cells: { source: string | string[] }[] };
    return `${cells.map(({ source }) => [source].flat().join('')).join('\n')}\n${text}`;
  } catch {
    return text;
  }
}
