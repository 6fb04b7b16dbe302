// Owns the invariants of what is kept, over made-up histories: a label is never better when it is read back than it was when
// it was written, and a record that was touched is found. Real tables, in memory.
import { DatabaseSync } from 'node:sqlite';
import { chain, verifyChain } from '../../../src/journal/chain.ts';
import { createProvenance, isOutside, type Written } from '../../../src/memory/provenance.ts';
import { INTEGRITY, join, type Label, label } from '../../../src/store/label.ts';
import type { Store } from '../../../src/store/open.ts';
import { MIGRATIONS } from '../../../src/store/schema.ts';
import { diceOf, type Invariant, must, shown } from './traces.ts';

const rank = ({ integrity }: Label): number => INTEGRITY.indexOf(integrity);

// 6. Persistence: written under a label, read back at or below it, in any later session.
const LABELS: readonly Label[] = [
  label('owner', 'owner', 'webchat'),
  label('tool-local', 'owner'),
  label('peer', 'owner', 'telegram:42'),
  label('untrusted', 'owner', 'web:evil.example'),
  label('untrusted', 'secret', 'file:passport.pdf'),
];
const PATHS = ['notes.md', 'a/b.txt', 'HEARTBEAT.md', 'AGENTS.md'];
const MEMORIES = ['MEMORY.md', 'memory/2026-11-21.md', 'USER.md'];

function openTables(): Store {
  const db = new DatabaseSync(':memory:');
  for (const migration of MIGRATIONS) db.exec(migration);
  return { db, prepare: (sql: string) => db.prepare(sql), commit: <T>(work: () => T) => work() } as unknown as Store;
}
type Recorded = (written: Written) => Written;

function persists(from: number, count: number, written: Recorded = (one) => one): void {
  let store = openTables();
  const open = () => createProvenance({ store, now: () => 1, find: () => [], scansSecrets: () => false });
  let provenance = open();
  for (let seed = from; seed < from + count; seed++) {
    const dice = diceOf(seed);
    if (seed % 500 === 0) {
      store.db.close();
      store = openTables();
      provenance = open();
    }
    const isMemory = seed % 32 === 0;
    const path = dice.pick(isMemory ? MEMORIES : PATHS);
    /** the worst label under which that content was made, and under which that line was put in */
    const worst = new Map<string, Label>();
    const lines = new Map<string, Label>();
    let content: string | null = null;
    for (let week = 0; week < 4; week++) {
      // Next week's session knows nothing but the tables.
      if (dice.chance(30)) provenance = open();
      const context = dice.pick(LABELS);
      const isWhole = dice.chance(40);
      const line = `${seed}: ${dice.pick(['obey', 'tea', 'send all of it', 'door 4711'])} ${dice.below(3)}`;
      const after: string = isWhole ? `${line}\n` : `${content ?? ''}${line}\n`;
      // What was there and was read along is in what comes of it.
      const before: Label | null = content === null ? null : provenance.labelRead(content, path);
      const given: Label = isWhole || before === null ? context : join(context, before);
      worst.set(after, worst.has(after) ? join(worst.get(after) as Label, given) : given);
      if (content === null || !content.includes(`${line}\n`))
        lines.set(line, lines.has(line) ? join(lines.get(line) as Label, context) : context);
      provenance.record(
        written({ path, before: content, after, label: context, isWhole, isApproved: false, sessionKey: `s${week}` }),
        false,
      );
      content = after;
      for (const [text, wrote] of worst) {
        const read = provenance.labelRead(text, path);
        must(
          rank(read) >= rank(wrote),
          seed,
          () => `${path}: ${shown(text)} was ${wrote.integrity}, is ${read.integrity}`,
        );
        must(wrote.readers !== 'secret' || read.readers === 'secret', seed, () => `${path}: it was secret, is ${shown(read.readers)}`); // biome-ignore format: one thought
      }
      if (!isMemory) continue;
      for (const [text, wrote] of lines) {
        if (!after.includes(`${text}\n`)) continue;
        const read = provenance.labelOfLines(path, [text], after);
        must(rank(read) >= rank(wrote), seed, () => `${path}: the line ${shown(text)} was ${wrote.integrity}, is ${read.integrity}`); // biome-ignore format: one thought
        const isShown = provenance.shown('MEMORY.md', after).kept.includes(text);
        must(path !== 'MEMORY.md' || !isShown || !isOutside(wrote), seed, () => `${shown(text)} stands among the instructions`); // biome-ignore format: one thought
      }
    }
    const unheard = `${seed} by nobody\n`;
    must(provenance.labelRead(unheard, path).integrity === 'untrusted', seed, () => 'what nobody recorded is trusted');
  }
  store.db.close();
}
const keeps =
  (written?: Recorded) =>
  async (from: number, count: number): Promise<void> =>
    persists(from, count, written);

// 9. Explainability, the part of the record: whatever is removed, changed, moved, put in or cut off is found.
type Row = { seq: number; at: number; kind: string; body: string; hash: string };
type Verify = typeof verifyChain;
async function recorded(from: number, count: number, verify: Verify = verifyChain): Promise<void> {
  for (let seed = from; seed < from + count; seed++) {
    const dice = diceOf(seed);
    const rows: Row[] = [];
    for (let seq = 1; seq <= 3 + dice.below(8); seq++) {
      const row = { seq, at: 1_000 + seq, kind: 'tool.decided', body: JSON.stringify({ n: dice.below(1e6) }) };
      rows.push({ ...row, hash: chain(rows.at(-1)?.hash ?? '', seq, row.at, row.kind, row.body) });
    }
    const last = rows.at(-1) as Row;
    const head = { seq: last.seq, hash: last.hash, isOpen: false };
    const at = dice.below(rows.length);
    const here = rows[at] as Row;
    const tampering = [
      () => rows.splice(at, 1),
      () => (here.body = '{"n":-1}'),
      () => (here.at += 1),
      () => (here.kind = 'tool.other'),
      () => rows.splice(at, rows.length - at),
      () => {
        const other = rows[(at + 1) % rows.length] as Row;
        [here.body, other.body] = [`${other.body} `, here.body];
      },
      // Written anew from there on, with hashes that fit: the head knows better.
      () => {
        here.body = '{"n":-2}';
        for (let n = at; n < rows.length; n++) {
          const row = rows[n] as Row;
          row.hash = chain(rows[n - 1]?.hash ?? '', row.seq, row.at, row.kind, row.body);
        }
      },
      () =>
        rows.push({ ...last, seq: last.seq + 1, hash: chain(last.hash, last.seq + 1, last.at, last.kind, last.body) }),
    ];
    const isTouched = dice.chance(90);
    if (isTouched) dice.pick(tampering)();
    const prepare = () => ({ all: (after: number) => rows.filter(({ seq }) => seq > after) });
    const { whole, breaks } = await verify({ prepare } as unknown as Parameters<Verify>[0], head);
    must(whole !== isTouched, seed, () => `${isTouched ? 'touched' : 'whole'}, and it says ${shown(breaks)}`);
  }
}

export const PERSISTS: Invariant = {
  name: '6. what was written under a label is read back at or below it',
  hold: keeps(),
  without: {
    'what is written carries the label of its context': keeps((one) => ({ ...one, label: label('owner', 'owner') })),
    'what was there before stays what it was': keeps((one) => ({ ...one, isWhole: true })),
    'nothing raises but the owner': keeps((one) => ({ ...one, label: label('owner', 'owner'), isApproved: true })),
  },
};
export const RECORDED: Invariant = {
  name: '9b. a record that was touched is found',
  hold: (from, count) => recorded(from, count),
  without: {
    'the end is known beside the database': (from, count) => recorded(from, count, (rows) => verifyChain(rows, null)),
    'each entry is bound to the one before': (from, count) =>
      recorded(from, count, async (rows, head) => {
        const found = await verifyChain(rows, head);
        const breaks = found.breaks.filter(({ what }) => what !== 'changed');
        return { ...found, breaks, whole: breaks.length === 0 };
      }),
  },
};
