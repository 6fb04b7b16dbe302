// Owns the map of the house: which folder lies above which. An import may only go down; between stages of the pipeline
// only the type of what a stage is handed may be known.
import { type Import, isTest, type SourceFile } from './source-file.ts';

/** Highest first. Folders of one row lie beside each other and do not know each other. */
const ROWS: readonly (readonly string[])[] = [
  ['cli'],
  [
    'main.ts',
    'asking',
    'backend.ts',
    'boxes',
    'browsing',
    'channel-reports.ts',
    'core.ts',
    'door.ts',
    'drilling',
    'hiding.ts',
    'live-config.ts',
    'mcp',
    'opening',
    'outward',
    'panicking.ts',
    'perimeter.ts',
    'remembering.ts',
    'runs.ts',
    'running',
    'send.ts',
    'settings.ts',
    'spending',
    'status.ts',
    'tooling.ts',
    'upkeep',
  ],
  ['gateway', 'audit'],
  ['channels', 'access', 'sessions', 'agent', 'policy', 'tools'],
  ['sandbox', 'models', 'memory', 'skills', 'automation', 'ops'],
  ['net'],
  ['journal'],
  ['store'],
  ['config'],
  ['secrets'],
  ['log'],
  ['platform'],
];
const COMPOSITION = ROWS[1] ?? [];
const PIPELINE = ROWS[3] ?? [];
/** Nobody else imports the audit; the gateway offers it as a method. */
const MAY_BESIDE = new Set(['gateway>audit']);

/** The room of a source file: its folder below src/, or the file itself. */
export function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

const rowOf = (room: string): number => ROWS.findIndex((row) => row.includes(room));

export function layers(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => file.path.startsWith('src/') && !isTest(file.path))
    .flatMap((file) => {
      const room = roomOf(file.path);
      if (rowOf(room) === -1) return [`${file.path}: there is no room called ${room}`];
      return file.imports.flatMap((one) => {
        const problem = problemOf(room, one);
        return problem === null ? [] : [`${file.path}:${one.line}: ${problem}`];
      });
    });
}

function problemOf(room: string, one: Import): string | null {
  if (one.target === null || one.target === 'package.json') return null;
  if (!one.target.startsWith('src/')) return `imports ${one.target}, which lies outside src/`;
  const other = roomOf(one.target);
  if (other === room) return null;
  if (COMPOSITION.includes(room) && COMPOSITION.includes(other)) return null;
  if (rowOf(other) === -1) return `imports from ${other}, which is no room`;
  if (other === 'audit' && !['gateway', 'cli', 'main.ts', 'backend.ts', 'drilling'].includes(room))
    return `${room} may not know audit`;
  if (rowOf(room) < rowOf(other)) return null;
  if (rowOf(room) > rowOf(other)) return `imports upwards, from ${other}`;
  if (MAY_BESIDE.has(`${room}>${other}`)) return null;
  if (PIPELINE.indexOf(room) !== PIPELINE.indexOf(other) + 1 || !PIPELINE.includes(other)) {
    return `imports sideways, from ${other}`;
  }
  return one.kind === 'type' ? null : `takes code from ${other}; a stage may only know the type that it is handed`;
}

/** Circles between files, types included: what two files know of each other belongs into a third one. */
export function circles(files: readonly SourceFile[]): string[] {
  const graph = new Map(files.filter((file) => !isTest(file.path)).map((file) => [file.path, file]));
  const state = new Map<string, 'open' | 'done'>();
  const found = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      const circle = way.slice(way.indexOf(path));
      const first = circle.indexOf([...circle].sort()[0] ?? '');
      const turned = [...circle.slice(first), ...circle.slice(0, first)];
      found.add([...turned, turned[0]].join(' -> '));
      return;
    }
    state.set(path, 'open');
    for (const one of graph.get(path)?.imports ?? []) {
      if (one.target !== null && graph.has(one.target)) visit(one.target, [...way, path]);
    }
    state.set(path, 'done');
  };
  for (const path of graph.keys()) visit(path, []);
  return [...found].sort();
}
