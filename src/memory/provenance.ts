// Owns what is known of where a file's content came from: recorded when a tool writes it, told when it is read, and raised
// by nothing but the owner's own act. What nobody recorded is untrusted. It must never open a file.
import { isOthers, join as joined, type Label, label, UNTRUSTED } from '../store/label.ts';
import type { Store } from '../store/open.ts';
import { type ContentLabels, openContentLabels } from '../store/provenance/content-labels.ts';
import { openMemoryRows } from '../store/provenance/memory-rows.ts';
import { isMemoryFile, LONG_TERM } from './files.ts';
import { refuseSecrets } from './secrets.ts';

export type Origin = 'owner' | 'agent' | 'untrusted';
/** A file that steers, as a turn is shown it. */
export type Shown = {
  /** null: there is nothing in it to tell of */
  readonly label: Label | null;
  /** what may stand among the instructions */
  readonly kept: string;
  /** what nobody recorded: to be set off, and what taints */
  readonly apart: string;
  /** lines that are known to come from outside: not shown, only found by searching */
  readonly leftOut: number;
};
export type Written = {
  readonly path: string;
  readonly before: string | null;
  readonly after: string;
  readonly label: Label;
  /** nothing of `before` was taken over unseen */
  readonly isWhole: boolean;
  /** the owner saw exactly this and said yes */
  readonly isApproved: boolean;
  readonly sessionKey: string;
};
export type ProvenancePorts = {
  readonly store: Store;
  readonly now: () => number;
  /** where a secret stands in the text */
  readonly find: (text: string) => readonly { readonly start: number; readonly kind: string }[];
  readonly scansSecrets: () => boolean;
};
export type Provenance = ReturnType<typeof createProvenance>;

const OWNERS = label('owner', 'owner');
/** What the assistant says is not the owner's word, even where it has heard nobody else. */
const AGENTS = label('tool-local', 'owner');

export const isOutside = isOthers;
export const originOf = (one: Label): Origin =>
  isOutside(one) ? 'untrusted' : one.integrity === 'owner' ? 'owner' : 'agent';

export function createProvenance({ store, now, find, scansSecrets }: ProvenancePorts) {
  let version = 0;
  let ever = { version: -1, sources: [] as readonly string[], isSecret: false };
  let tables: { labels: ContentLabels; rows: ReturnType<typeof openMemoryRows> } | null = null;
  // Prepared at first use: a gateway that nobody talks to has no need of it.
  const open = () => {
    tables ??= { labels: openContentLabels(store), rows: openMemoryRows(store) };
    return tables;
  };
  const unknownOf = (path: string): Label => ({ ...UNTRUSTED, sources: [`file:${path}`] });
  /** A whole that comes from outside in part says nothing about a line that nobody recorded. */
  const lineLabel = (path: string, line: string, whole: Label | null): Label | null =>
    open().labels.ofLine(path, line) ?? (whole !== null && isOutside(whole) ? null : whole);

  return {
    rows: () => open().rows,
    /** goes up with every label that is written */
    version: () => version,
    /** null: nobody recorded it */
    labelOf: (data: Buffer | string): Label | null => open().labels.of(data),
    /** Of a file that is read. */
    labelRead: (data: Buffer | string, path: string): Label => open().labels.of(data) ?? unknownOf(path),
    /** Of all that was ever written here: what is gone may stand elsewhere by now. `sources`: others had a hand in it. */
    recorded(): Omit<typeof ever, 'version'> {
      if (ever.version !== version) {
        const all = open().labels.all();
        const sources = all.filter(isOutside).flatMap((one) => one.sources);
        ever = { version, sources: [...new Set(sources)], isSecret: all.some(({ readers }) => readers === 'secret') };
      }
      return ever;
    },
    /** Of what a command wrote nobody knows the content, only that it may come from there. */
    noteRun(effects: object, given: Label): void {
      version += 1;
      store.commit(() => open().labels.note(JSON.stringify(effects), '', now(), given));
    },
    /** Of some lines of a file of the memory; `whole` is the file. */
    labelOfLines(path: string, lines: readonly string[], whole: string): Label {
      const known = open().labels.of(whole);
      return lines
        .filter((line) => line.trim() !== '')
        .reduce<Label>((sum, line) => joined(sum, lineLabel(path, line, known) ?? unknownOf(path)), OWNERS);
    },
    /** Line by line; `isUnknown`: nobody recorded it, as by the owner's own hand or a command. */
    linesOf(path: string, whole: string): (line: string) => { readonly label: Label; readonly isUnknown: boolean } {
      const known = open().labels.of(whole);
      const unknown = { label: unknownOf(path), isUnknown: true };
      const seen = new Map<string, { readonly label: Label; readonly isUnknown: boolean }>();
      return (line) => {
        const before = seen.get(line);
        if (before) return before;
        const found = line.trim() === '' ? OWNERS : lineLabel(path, line, known);
        const told = found === null ? unknown : { label: found, isUnknown: false };
        seen.set(line, told);
        return told;
      };
    },
    /** Throws SECRET_IN_MEMORY. To be asked before anything is written. */
    check(path: string, added: string): void {
      if (scansSecrets() && isMemoryFile(path)) refuseSecrets(added, path, find);
    },
    /** Durable when it returns; called before the file changes, since a label without a file harms nobody. */
    record({ path, before, after, label: given, isWhole, isApproved, sessionKey }: Written, isPrivate: boolean): void {
      version += 1;
      const { labels, rows } = open();
      const old = before === null ? null : labels.of(before);
      const kept = isWhole || before === null ? OWNERS : (old ?? unknownOf(path));
      const isSteering = isApproved && !isPrivate && !path.includes('/');
      store.commit(() => {
        if (isSteering) labels.raise(after, path, now(), kept);
        else labels.note(after, path, now(), joined(given, kept));
        if (isPrivate || !isMemoryFile(path)) return;
        const had = new Set(before?.split('\n').map((line) => line.trim()));
        const said = isSteering ? OWNERS : joined(given, AGENTS);
        for (const line of new Set(after.split('\n'))) {
          if (line.trim() === '') continue;
          if (!had.has(line.trim())) labels.noteLine(path, line, now(), said);
          // What was known of the whole is known of its lines, and no more of the whole.
          else if (old !== null && !isOutside(old) && labels.ofLine(path, line) === null)
            labels.noteLine(path, line, now(), old);
        }
        rows.addChange({ atMs: now(), path, before, after, who: 'assistant', sessionKey, label: said });
      });
    },
    /** What a new workspace starts with is ours; once it was written by somebody else too, it stays theirs. */
    seed(files: Readonly<Record<string, string>>): void {
      const { labels } = open();
      const fresh = Object.entries(files).filter(([, text]) => labels.of(text) === null);
      if (fresh.length === 0) return;
      store.commit(() => {
        for (const [path, text] of fresh) labels.raise(text, path, now(), OWNERS);
      });
    },
    /** The owner has read it and vouches for all of it. Nothing that a model can reach calls this. */
    raise(path: string, text: string): void {
      const { labels } = open();
      version += 1;
      store.commit(() => {
        labels.raise(text, path, now(), OWNERS);
        for (const line of new Set(isMemoryFile(path) ? text.split('\n') : []))
          if (line.trim() !== '') labels.raiseLine(path, line, now(), OWNERS);
      });
    },
    /** What a turn is shown of a file that steers, line by line where that is known. */
    shown(path: string, text: string): Shown {
      const known = open().labels.of(text);
      if (path !== LONG_TERM) {
        const given = text.trim() === '' ? null : (known ?? unknownOf(path));
        return { label: given, kept: text, apart: '', leftOut: 0 };
      }
      const kept: string[] = [];
      const apart: string[] = [];
      let leftOut = 0;
      let all: Label | null = null;
      for (const line of text.split('\n')) {
        const found = line.trim() === '' ? OWNERS : lineLabel(path, line, known);
        if (found !== null && isOutside(found)) {
          leftOut += 1;
          continue;
        }
        (found === null ? apart : kept).push(line);
        if (line.trim() !== '') all = joined(all ?? OWNERS, found ?? unknownOf(path));
      }
      return { label: all, kept: kept.join('\n'), apart: apart.join('\n'), leftOut };
    },
  };
}
