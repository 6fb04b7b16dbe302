// Owns commands made at random from a grammar of what people and attackers write, and their runs: each one that is allowed
// is run for real, walled in, with canaries around the workspace that tell when they were read, changed or started.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalOf } from '../../src/policy/shell/canonical.ts';
import { readCommand } from '../../src/policy/shell/reading.ts';
import { createResolve } from '../../src/policy/shell/resolve.ts';
import { judged, openShellPlace, type ShellPlace } from './shell-place.ts';

const PROGRAMS = [
  'ls',
  'cat',
  'grep',
  'head',
  'tail',
  'wc',
  'cut',
  'uniq',
  'tr',
  'sort',
  'find',
  'sed',
  'stat',
  'du',
  'diff',
];
const WRITERS = ['cp', 'mv', 'rm', 'mkdir', 'touch', 'tee'];
const WRAPPERS = ['nice', 'env', 'timeout 5', 'nice -n 3', 'env -i', 'env A=b', 'nohup', 'command', 'time', '!'];
export const FUZZ_LIST = [
  ...PROGRAMS,
  ...WRITERS,
  'nice',
  'env',
  'timeout',
  'nohup',
  'echo',
  'sha256sum',
  'od',
  'paste',
  'tac',
];
const OTHERS = [
  'id',
  'sh -c',
  'bash -c',
  './head',
  '/workspace/head',
  'xargs',
  'busybox',
  'eval',
  'exec',
  'python3 -c',
  'sudo',
  'cd',
];
const INSIDE = [
  'a.md',
  'b.txt',
  'sub',
  'sub/c.md',
  './a.md',
  '.',
  '-',
  'sub/deep',
  'two words.txt',
  'new',
  '--',
  '5',
  'alpha',
  '1p',
  '-x',
];
const OPTIONS = [
  ...[
    '-n',
    '-n1',
    '-n5',
    '-c',
    '-c3',
    '-r',
    '-R',
    '-L',
    '-f',
    '-o',
    '-e',
    '-l',
    '-la',
    '-5',
    '-5c',
    '-i',
    '-v',
    '-rn',
    '-w',
    '-z',
    '-H',
  ],
  ...[
    '--lines=1',
    '--file=',
    '--files0-from=',
    '--color=never',
    '--recursive',
    '--output=',
    '-exec',
    '-name',
    '-print',
    '-delete',
  ],
  ...[
    '-newer',
    '-fprint',
    '-type',
    'f',
    '-maxdepth',
    '1',
    '-d',
    '-t',
    '-k1',
    '-s',
    '-p',
    '-a',
    '-T',
    '-u',
    '-x',
    '-I',
    '-D',
    '-m1',
  ],
];
const JOINS = [' | ', ' && ', ' || ', '; ', '\n', ' & ', ' |& ', ';', '|', '&&', ' \\\n| '];
const META = [...'|&;<>()$`\\"\'*?[]#~=%!{}\n\t /.-,:@^+0123456789abcdexX\u200b\u00a0\r'];

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function createCommands(seed: number, folder: string): () => string {
  const next = random(seed);
  const below = (count: number): number => Math.floor(next() * count);
  const pick = (list: readonly string[]): string => list[below(list.length)] ?? '';
  const outside = [
    ...[
      `${folder}/outside.txt`,
      `${folder}/outside-folder`,
      `${folder}/outside-folder/secret.txt`,
      '../outside.txt',
      'link',
      'away',
    ],
    ...[
      'away/secret.txt',
      'sub/../../outside.txt',
      '/workspace/../outside.txt',
      'private/p.txt',
      'private',
      '~',
      '$HOME',
      'dangling',
    ],
  ];
  const quoted = (word: string): string => {
    switch (below(8)) {
      case 0:
        return `'${word.replaceAll("'", `'\\''`)}'`;
      case 1:
        return `"${word}"`;
      case 2:
        return [...word].map((one) => (below(2) ? `\\${one}` : one)).join('');
      case 3:
        return `$'${[...word].map((one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')}'`;
      case 4:
        return word.length > 1 ? `${word.slice(0, 1)}''${word.slice(1)}` : word;
      default:
        return /\s/.test(word) ? `'${word}'` : word;
    }
  };
  const operand = (): string => quoted(below(5) === 0 ? pick(outside) : pick(INSIDE));
  const redirect = (): string =>
    `${pick(['', '2', '1', '0', '3'])}${pick(['<', '>', '>>', '<>', '>|', '&>', '>&', '<&', '<<<'])}${below(2) ? operand() : pick(['/dev/null', '1', '2', '&1'])}`;
  const simple = (depth: number): string => {
    const name = below(12) === 0 ? pick(OTHERS) : below(5) === 0 ? pick(WRITERS) : quoted(pick(PROGRAMS));
    const words = Array.from({ length: below(5) }, () => {
      const kind = below(20);
      if (kind < 7) return pick(OPTIONS) + (below(6) === 0 ? operand() : '');
      if (kind === 19 && depth < 2)
        return pick(['$(@)', '`@`', '<(@)', '"$(@)"', '{@,@}', '*', '$[1]']).replaceAll('@', () => simple(depth + 1));
      return operand();
    });
    const front = [
      below(10) === 0 ? pick(['TZ=UTC', 'LD_PRELOAD=x', 'PATH=.', 'A=b']) : '',
      below(8) === 0 ? pick(WRAPPERS) : '',
    ];
    return [...front, name, ...words, below(6) === 0 ? redirect() : ''].filter((one) => one !== '').join(' ');
  };
  const mutated = (text: string): string => {
    const at = below(text.length + 1);
    const cut = below(3);
    return `${text.slice(0, at)}${below(4) ? pick(META) : text.slice(at, at + 4)}${text.slice(at + cut)}`;
  };
  return () => {
    let text = Array.from({ length: 1 + (below(3) === 0 ? below(3) : 0) }, () => simple(0)).join(pick(JOINS));
    if (below(10) === 0)
      text = `cd ${pick(['sub', 'away', 'private', '.', 'sub/deep', operand()])}${pick([' && ', '; ', ' || '])}${text}`;
    if (below(15) === 0)
      text = `cat ${pick(['<<E', "<<'E'", '<<-E', '<<"E"'])}${pick(['', '; ls', ' | cat'])}\n${pick(['x', '$HOME', '`id`', 'a\\b', '$(cat link)'])}\nE`;
    if (below(20) === 0)
      text = pick(['(@)', '{ @; }', 'if @; then @; fi', 'for i in a; do @; done', 'f() { @; }; f']).replaceAll(
        '@',
        text,
      );
    for (let turns = below(3); turns > 0; turns -= 1) text = mutated(text);
    return text;
  };
}

const LONG_AGO = new Date('2001-01-01T00:00:00Z');

/** Canaries and how to ask them. */
function canaries(place: ShellPlace) {
  const files = [
    'outside.txt',
    'outside-folder',
    'outside-folder/secret.txt',
    'workspace/private',
    'workspace/private/p.txt',
  ];
  const paths = files.map((one) => join(place.folder, one));
  const arm = (): void => {
    for (const path of paths) utimesSync(path, LONG_AGO, statSync(path).mtime);
  };
  /** What was touched; a look of ours at a file's state does not count as one. */
  const touched = (): string[] => [
    ...paths.filter((path) => !existsSync(path) || statSync(path).atimeMs !== LONG_AGO.getTime()),
    ...readdirSync(place.folder).filter((name) => !['workspace', 'outside.txt', 'outside-folder'].includes(name)),
  ];
  arm();
  return { arm, touched };
}

/** Runs lines as `/bin/bash -c` each, in walls of which only the place can be changed. */
function runWalled(
  place: ShellPlace,
  lines: readonly string[],
  options: { path?: string; writable?: readonly string[] } = {},
): void {
  const script = 'for one in "$@"; do /usr/bin/timeout 3 /bin/bash -c "$one" </dev/null >/dev/null 2>&1; done; true';
  const walls = [
    '--ro-bind',
    '/',
    '/',
    '--dev',
    '/dev',
    '--proc',
    '/proc',
    '--tmpfs',
    '/run',
    '--bind',
    place.folder,
    place.folder,
  ];
  const seen = ['--unshare-all', '--die-with-parent', '--clearenv', '--setenv', 'HOME', place.workspace];
  const env = ['--setenv', 'PATH', options.path ?? '/usr/bin:/bin', '--setenv', 'LANG', 'C.UTF-8'];
  const argv = [...walls, ...seen, ...env, '--chdir', place.workspace, '/bin/bash', '-c', script, 'run', ...lines];
  const run = spawnSync('bwrap', argv, { timeout: 120_000, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`the walls do not stand: ${run.stderr} ${run.error?.message ?? ''}`);
}

const asked = { allow: FUZZ_LIST, where: 'host' } as const;
const BATCH = 40;

export type FuzzResult = { readonly made: number; readonly allowed: number; readonly leaks: readonly string[] };

/** Judges and runs until the time is over; each leak is a command that was allowed and touched a canary. */
export async function fuzz(seed: number, forMs: number): Promise<FuzzResult> {
  const leaks: string[] = [];
  let [made, allowed] = [0, 0];
  const end = performance.now() + forMs;
  let place = openShellPlace();
  try {
    let guards = canaries(place);
    let make = createCommands(seed, place.folder);
    const check = (lines: readonly string[]): void => {
      runWalled(place, lines);
      const touched = guards.touched();
      if (touched.length > 0)
        leaks.push(`${touched.join(', ')} by ${lines.map((one) => JSON.stringify(one)).join(' or ')}`);
      if (touched.length > 0) guards.arm();
    };
    const waiting: string[] = [];
    for (let round = 1; performance.now() < end; round += 1) {
      const text = make();
      made += 1;
      const verdict = await judged(place, text, asked);
      if (verdict?.rule !== 'allow' || verdict.runAs === undefined) continue;
      allowed += 1;
      const changes = WRITERS.some((name) => verdict.runAs?.includes(`/${name}'`));
      if (changes) {
        // By itself, on the workspace as it was judged, and nobody comes after it.
        if (waiting.length > 0) check(waiting.splice(0));
        check([verdict.runAs]);
        place.close();
        place = openShellPlace();
        guards = canaries(place);
        make = createCommands(seed + round, place.folder);
      } else if (waiting.push(verdict.runAs) >= BATCH) check(waiting.splice(0));
    }
    if (waiting.length > 0) check(waiting);
    // The canaries sing at all.
    runWalled(place, ["'/usr/bin/wc' 'link'"]);
    if (guards.touched().length === 0) leaks.push('reading a canary is not noticed on this file system');
  } finally {
    place.close();
  }
  return { made, allowed, leaks };
}

export type DifferResult = {
  readonly compared: number;
  readonly started: number;
  readonly differences: readonly string[];
};

/** Where real bash starts other programs with other words or input than were judged. */
export async function differ(seed: number, wanted: number): Promise<DifferResult> {
  const place = openShellPlace();
  try {
    const bin = join(place.folder, 'bin');
    mkdirSync(bin);
    const record = `#!/bin/sh\n{ printf '%s\\0' "$0" "$@"; /usr/bin/cat; } > "$LOG/$$" 2>/dev/null\n[ "\${0##*/}" != grep ]\n`;
    for (const name of [...FUZZ_LIST, 'true', 'false']) writeFileSync(join(bin, name), record, { mode: 0o755 });
    const resolve = createResolve([bin], () => true);
    const make = createCommands(seed, place.folder);
    const found: { text: string; canonical: string }[] = [];
    for (let tries = 0; found.length < wanted && tries < wanted * 400; tries += 1) {
      const text = make();
      if (
        (await judged(place, text, asked))?.rule !== 'allow' ||
        /(^|\W)(cd|nice|env|timeout|nohup|echo|true|false)(\W|$)|\/bin\//.test(text)
      )
        continue;
      const canonical = canonicalOf(await readCommand(text), resolve);
      if (canonical !== null) found.push({ text, canonical });
    }
    const logOf = (kind: string, index: number): string => join(place.folder, `log-${kind}-${index}`);
    const lines = found.flatMap(({ text, canonical }, index) =>
      [text, canonical].map((one, at) => {
        mkdirSync(logOf(String(at), index));
        return `export LOG='${logOf(String(at), index)}'\n${at === 0 ? '/bin/bash -n -c "$1" || echo bad > $LOG/bad\n' : ''}exec /bin/bash -c "$0"\n${one}`;
      }),
    );
    for (let at = 0; at < lines.length; at += BATCH) {
      const script = lines.slice(at, at + BATCH).map((one) => {
        const cut = one.indexOf('"$0"\n');
        const text = one.slice(cut + 5).replaceAll("'", `'\\''`);
        return `/bin/bash -c '${one.slice(0, cut + 4).replaceAll("'", `'\\''`)}' '${text}' '${text}'`;
      });
      runWalled(place, script, { path: bin });
    }
    const told = (kind: string, index: number): string[] =>
      readdirSync(logOf(kind, index))
        .map((name) => readFileSync(join(logOf(kind, index), name), 'latin1'))
        .sort();
    const differences = found.flatMap(({ text, canonical }, index) =>
      JSON.stringify(told('0', index)) === JSON.stringify(told('1', index)) &&
      !existsSync(join(logOf('0', index), 'bad'))
        ? []
        : [
            `${JSON.stringify(text)} is not ${canonical}: ${JSON.stringify(told('0', index))} ${JSON.stringify(told('1', index))}`,
          ],
    );
    const started = found.filter((_, index) => told('0', index).length > 0).length;
    return { compared: found.length, started, differences };
  } finally {
    rmSync(join(place.folder, 'bin'), { recursive: true, force: true });
    place.close();
  }
}
