// Owns `openclaw undo` and `undo list`: what a turn changed in the workspace, shown before it is brought back. Every name and
// every line of a file was perhaps made by somebody else: all of it is printed escaped.
import type { Applied, Preview, TurnRow } from '../../../ops/checkpoints/checkpoints.ts';
import type { Left } from '../../../ops/checkpoints/plan.ts';
import type { Change } from '../../../ops/checkpoints/preview.ts';
import { EXIT, HardshellError } from '../../../platform/errors.ts';
import { agreed } from '../../chat/ask-owner.ts';
import { shortKey } from '../../connect/wire.ts';
import type { Context } from '../../context.ts';
import { type Output, span } from '../../output.ts';
import { tableLines } from '../../print/table.ts';
import { formatBytes, formatTime } from '../../print/units.ts';
import type { TargetFlags } from '../../target.ts';
import { withCheckpoints } from './reach.ts';

type Flags = TargetFlags & {
  readonly turn?: string;
  readonly dryRun?: boolean;
  readonly all?: boolean;
  readonly force?: boolean;
  readonly yes?: boolean;
};

const NOTHING = 'NOTHING_TO_UNDO';
const COLUMNS = [
  { title: 'TURN' },
  { title: 'WHEN' },
  { title: 'SESSION', flexible: true },
  { title: 'FILES' },
  { title: 'SIZE' },
  { title: 'STATE' },
] as const;

export async function list(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const turns = await withCheckpoints(context, options, (reach) => reach.list());
  out.data({ turns });
  if (turns.length === 0) out.note(span('dim', NOTHING_TEXT));
  else for (const line of tableLines(COLUMNS, turns.map(rowOf), out.width)) out.line(line);
}

const idOf = (turnId: string): string => (turnId.startsWith('undo-') ? turnId.slice(0, 13) : turnId.slice(0, 8));
const rowOf = ({ turnId, kind, of, sessionKey, startedAtMs, files, bytes, undoneBy }: TurnRow): string[] => [
  idOf(turnId),
  formatTime(startedAtMs),
  kind === 'undo' ? `undo of ${idOf(of)}` : shortKey(sessionKey),
  String(files),
  formatBytes(bytes),
  undoneBy === '' ? '' : 'undone',
];

export async function run(context: Context, options: Flags): Promise<number> {
  const { out } = context;
  const { turn, all = false, force = false } = options;
  return withCheckpoints(context, options, async (reach) => {
    const wish = { ...(turn === undefined ? {} : { turnId: turn }), all, force };
    const preview = await reach.preview(wish).catch((error: unknown) => {
      if (turn === undefined && isNothing(error)) return null;
      throw error;
    });
    if (preview === null) {
      out.data({ dryRun: options.dryRun === true, turn: null, changes: [] });
      out.note(span('dim', NOTHING_TEXT));
      return EXIT.ok;
    }
    const isDry = options.dryRun === true;
    if (isDry || !options.yes) show(out, preview);
    if (isDry) {
      out.data({ dryRun: true, ...preview });
      return EXIT.ok;
    }
    if (preview.changes.length === 0) {
      out.data({ dryRun: false, ...preview });
      out.line(preview.conflicts.length === 0 ? 'nothing is left to bring back' : 'nothing was changed');
      return preview.conflicts.length === 0 ? EXIT.ok : EXIT.failure;
    }
    if (!(await agreed(out, options.yes, `bring ${preview.changeCount} of these back?`))) return EXIT.failure;
    const done = await reach.apply({ turnId: preview.turn.turnId, all, force });
    out.data({ dryRun: false, ...done });
    tell(out, done);
    return done.failed.length === 0 ? EXIT.ok : EXIT.failure;
  });
}

const NOTHING_TEXT = 'no turn has changed anything that could be undone';
const isNothing = (error: unknown): boolean => error instanceof HardshellError && error.code === NOTHING;

const MARK = { restore: 'as before', recreate: 'come back', remove: 'go away' } as const;

function show(out: Output, { turn, changes, changeCount, conflicts, cannot, resumes }: Preview): void {
  const where = turn.sessionKey === '' ? '' : ` in ${shortKey(turn.sessionKey)}`;
  out.line(span('bold', `turn ${idOf(turn.turnId)}`), `${where}, ${formatTime(turn.startedAtMs)}`);
  if (resumes) out.line(span('yellow', 'an undo of it was cut short; this finishes it'));
  for (const change of changes) {
    out.line(`${MARK[change.what]}  ${change.path}${change.kind === 'folder' ? '/' : ''}${factsOf(change)}`);
    for (const line of change.diff?.split('\n') ?? []) {
      const style = line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : 'dim';
      out.line('    ', span(style, line));
    }
  }
  if (changeCount > changes.length) out.line(`and ${changeCount - changes.length} more`);
  left(out, 'left alone', conflicts);
  left(out, 'not undoable', cannot);
  if (conflicts.length > 0) out.note(span('dim', `those as well: openclaw undo --turn ${idOf(turn.turnId)} --force`));
}

function factsOf({ bytesNow, bytesThen, note }: Change): string {
  const sizes = [bytesNow, bytesThen].map((bytes) => (bytes === null ? '-' : formatBytes(bytes))).join(' -> ');
  return [bytesNow === null && bytesThen === null ? '' : `  ${sizes}`, note === '' ? '' : `  (${note})`].join('');
}

const MAX_NAMED = 50;
function left(out: Output, word: string, entries: readonly Left[]): void {
  for (const { path, why } of entries.slice(0, MAX_NAMED)) out.line(span('yellow', word), `  ${path}: ${why}`);
  if (entries.length > MAX_NAMED) out.line(span('yellow', word), `  and ${entries.length - MAX_NAMED} more`);
}

function tell(out: Output, { turn, undoId, conflicts, cannot, failed, ...done }: Applied): void {
  out.line(span('green', 'undone: '), `${done.restoredCount} brought back, ${done.removedCount} removed`);
  left(out, 'left alone', conflicts);
  left(out, 'not undoable', cannot);
  left(out, 'failed', failed);
  if (failed.length > 0) out.note(`mend that, then: openclaw undo --turn ${idOf(turn.turnId)}`);
  if (undoId !== '') out.note(span('dim', `to take this back: openclaw undo --turn ${idOf(undoId)}`));
}
