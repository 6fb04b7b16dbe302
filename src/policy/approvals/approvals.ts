// Owns questions to the owner: what is asked, for how long, and what silence means (no). An approval binds one call as it
// is, is good for one start, and outlives the process. It must never be answered by anything but a person.
import type { Journal } from '../../journal/journal.ts';
import { reasonOf } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import type { ApprovalRow, ApprovalTable } from '../../store/approvals/questions.ts';
import type { Store } from '../../store/open.ts';
import {
  type Answered,
  type Approval,
  type ApprovalDecision,
  type ApprovalState,
  type Asked,
  type Asker,
  type Binding,
  changedIn,
  type Question,
} from './approval.ts';
import { newCode } from './approval-codes.ts';
import type { Grants } from './grants.ts';

/** `asleep`: the gateway stops; the question stays, and so does the call. `paused`: it was not asked, and the run ends. */
export type Answer =
  | { readonly kind: 'allowed'; readonly id: string }
  | { readonly kind: 'no'; readonly why: string; readonly fix: string }
  | { readonly kind: 'paused'; readonly cards: number }
  | { readonly kind: 'asleep' };

export type Resolution =
  | { readonly ok: true; readonly approval: Approval }
  | {
      readonly ok: false;
      readonly problem: 'UNKNOWN' | 'ANSWERED' | 'EXPIRED' | 'NOT_ALWAYS' | 'NOT_TASK';
      readonly approval: Approval | null;
    };

/** A call to ask about, and what it is then. */
export type Line = { readonly question: Question; readonly binding: Binding };

/** Who answers: in one line for people, and the facts of it for the journal. */
export type By = { readonly name: string; readonly facts: object };

export type ApprovalPorts = {
  readonly store: Store;
  readonly table: ApprovalTable;
  readonly grants: Grants;
  readonly journal: Journal;
  readonly now: () => number;
  /** for how long a question asked now waits */
  lifeMs(): number;
  /** makes the conversation of the running turn durable together with `work` */
  persist(sessionKey: string, work: () => void): void;
  /** the time limit of the turn stands still until the returned function is called */
  sleeps(approval: Approval): () => void;
  /** why nobody could answer, or null */
  nobody(asker: Asker): { readonly why: string; readonly fix: string } | null;
  /** as it may be shown and kept */
  hide<T>(value: T): T;
  /** inside the transaction that asks, all lines of one card; what it returns is called once that is durable */
  asked(card: readonly Approval[]): () => void;
  /** the same for the answer to one line, whatever it is; `card` has all lines as they are then */
  closed(approval: Approval, card: readonly Approval[]): () => void;
};

const IN_TIME = 'nobody answered in time';
/** The next one pauses the run, so that nobody is worn down into saying yes (attacks.md I16). */
const MAX_CARDS = 3;
/** What nobody reads to its end is no card. */
const MAX_LINES = 8;
const MAX_PER_SESSION = 10;
/** Of a conversation that is not the owner's. */
const MAX_PER_HOUR = 12;
const HOUR_MS = 60 * 60_000;
const MAX_PENDING = 1_000;
/** What nobody can read whole, nobody can approve. */
const MAX_SHOWN_CHARS = 200_000;
/** A code does not come again so soon: whoever answers late must not answer something else. */
const CODE_REST_MS = 48 * HOUR_MS;

export type Approvals = ReturnType<typeof createApprovals>;

export function createApprovals(ports: ApprovalPorts) {
  const { store, table, grants, journal, now } = ports;
  const waiters = new Map<string, (approval: Approval) => void>();
  /** runs that have asked something: all others cost nothing */
  const runs = new Set<string>([...table.open().map(({ runId }) => runId), ...grants.runs()]);
  /** rechecked, and about to start */
  const ready = new Map<string, string>();

  /** One answer, in one transaction with its journal entry; null when it was answered by then. */
  const close = (
    row: ApprovalRow,
    from: 'pending' | 'allowed',
    to: 'allowed' | 'denied' | 'expired',
    answered: Answered,
    facts: object,
    also?: () => void,
  ): Approval | null => {
    const approval: Approval = { ...approvalOf(row), state: to, answered };
    let told = (): void => {};
    const isFirst = store.commit(() => {
      if (!table.answer(row.id, from, to, JSON.stringify(answered))) return false;
      also?.();
      const { id, runId: run, tool } = approval;
      journal.record('approval.resolved', { id, run, tool, answer: answered.decision, by: facts });
      told = ports.closed(approval, cardOf(approval));
      return true;
    });
    if (!isFirst) return null;
    told();
    waiters.get(row.id)?.(approval);
    return approval;
  };

  const expire = (row: ApprovalRow, why: string): void => {
    const from = row.state === 'allowed' ? 'allowed' : 'pending';
    close(row, from, 'expired', { decision: 'expired', by: why, atMs: now() }, { reason: why });
  };

  const wait = (row: ApprovalRow, signal: AbortSignal): Promise<Answer> => {
    const approval = approvalOf(row);
    const wake = ports.sleeps(approval);
    runs.add(row.runId);
    return new Promise((resolve) => {
      const settle = (answer: Answer): void => {
        waiters.delete(row.id);
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        wake();
        resolve(answer);
      };
      const end = (why: string): void => {
        try {
          expire(row, why);
        } catch (error) {
          // It could not be stored; the call does not run all the same.
          settle({ kind: 'no', why: reasonOf(error), fix: '' });
        }
      };
      const onAbort = (): void => {
        // It goes on sleeping in the next process.
        if (signal.reason === 'shutdown') settle({ kind: 'asleep' });
        else end('the turn was stopped');
      };
      const timer = setTimeout(() => end(IN_TIME), row.expiresAtMs - now()).unref();
      waiters.set(row.id, (closed) => settle(answerOf(closed)));
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  };

  const cardOf = ({ runId, code }: Pick<Asked, 'runId' | 'code'>): Approval[] =>
    table
      .ofCard(runId, code)
      .map(approvalOf)
      .sort((a, b) => a.line - b.line);

  const refuse = (question: Question, code: string, why: string, fix: string): Answer => {
    const { runId: run, callId: call, tool, asker } = question;
    journal.record('approval.refused', { run, call, tool, code, asker: asker.id, why });
    return { kind: 'no', why, fix };
  };

  /** Why it is not even asked. */
  const unaskable = (question: Question): Answer | null => {
    const cards = table.cardsOf(question.runId);
    if (cards >= MAX_CARDS) {
      const { runId: run, callId: call, tool } = question;
      journal.record('approval.paused', { run, call, tool, cards });
      return { kind: 'paused', cards };
    }
    const { total, mine } = table.waiting(question.sessionKey);
    if (mine >= MAX_PER_SESSION || total >= MAX_PENDING) {
      const where = mine >= MAX_PER_SESSION ? `${mine} questions of this conversation` : `${total} questions`;
      return refuse(question, 'TOO_MANY_PENDING', `${where} already wait for the owner`, 'openclaw approvals list');
    }
    const lately = question.asker.kind === 'owner' ? 0 : table.askedSince(question.sessionKey, now() - HOUR_MS);
    if (lately >= MAX_PER_HOUR)
      return refuse(
        question,
        'TOO_MANY_QUESTIONS',
        `it has asked the owner ${lately} times within an hour`,
        STOP_ASKING,
      );
    const chars = charsOf(question);
    if (chars > MAX_SHOWN_CHARS)
      return refuse(question, 'TOO_LONG_TO_SHOW', `its ${chars} characters cannot be shown to anybody whole`, '');
    const nobody = ports.nobody(question.asker);
    return nobody && refuse(question, 'NO_APPROVER', nobody.why, nobody.fix);
  };

  return {
    /**
     * Resolves with the owner's answer; it may be there already, from before a restart. No answer and a turn that is
     * stopped are a no; a gateway that stops is none. `ahead`: calls that come after it, asked about on the same card.
     */
    async ask(question: Question, binding: Binding, signal: AbortSignal, ahead: readonly Line[] = []): Promise<Answer> {
      const known = table.ofCall(question.runId, question.callId);
      if (known?.state === 'pending') {
        store.commit(() => table.innocent(question.runId));
        return wait(known, signal);
      }
      if (known) return answerOf(approvalOf(known));
      if (signal.aborted) return stopped(signal);
      const shown = (one: Question): Question => ({ ...one, ...ports.hide({ facts: one.facts, marks: one.marks }) });
      const first = shown(question);
      const refused = unaskable(first);
      if (refused) return refused;
      const createdAtMs = now();
      const { runId, sessionKey } = first;
      const rest = ahead
        .map((one) => ({ ...one, question: shown(one.question) }))
        .filter((one) => charsOf(one.question) <= MAX_SHOWN_CHARS && !table.ofCall(runId, one.question.callId));
      const all = [{ question: first, binding }, ...rest].slice(0, MAX_LINES);
      const common = {
        ...{ code: newCode(table.codesSince(createdAtMs - CODE_REST_MS)), createdAtMs },
        expiresAtMs: createdAtMs + ports.lifeMs(),
      };
      const rows = all.map((one, at): ApprovalRow => {
        const asked: Asked = { ...one.question, ...common, id: newId(), line: at + 1, lines: all.length };
        const { id, callId } = asked;
        const body = { body: JSON.stringify(asked), binding: JSON.stringify(one.binding), answer: '' };
        return { ...common, ...body, id, runId, callId, sessionKey, state: 'pending' };
      });
      let told = (): void => {};
      ports.persist(sessionKey, () => {
        for (const row of rows) {
          table.insert(row);
          const { id, code, tool, reason } = approvalOf(row);
          journal.record('approval.requested', { id, code, run: runId, tool, reason });
        }
        table.innocent(runId);
        told = ports.asked(rows.map(approvalOf));
      });
      told();
      return wait(rows[0] as ApprovalRow, signal);
    },

    /** Right before the start: null when the call is still what was approved; else the approval is void, and why. */
    confirm(id: string, binding: Binding): string | null {
      const row = table.get(id);
      if (row?.state !== 'allowed') return 'the approval was used or taken back';
      const changed = changedIn(JSON.parse(row.binding) as Binding, binding);
      if (changed === null) {
        ready.set(`${row.runId}\0${row.callId}`, id);
        return null;
      }
      const why = `what was approved has changed: ${changed}`;
      journal.record('approval.void', { id, run: row.runId, changed });
      expire(row, why);
      return why;
    },
    /** Inside the transaction that writes down the start of a call. Throws when its approval was used meanwhile. */
    started(runId: string, callId: string): void {
      const id = ready.get(`${runId}\0${callId}`);
      if (id === undefined) return;
      if (!table.use(id)) throw new Error(`the approval ${id} was used twice`);
      journal.record('approval.used', { id, run: runId, call: callId });
    },
    ended(runId: string, callId: string): void {
      ready.delete(`${runId}\0${callId}`);
    },
    /** Policy says something else than to ask now: a question about this call is closed. */
    moot(runId: string, callId: string): void {
      if (!runs.has(runId)) return;
      const row = table.ofCall(runId, callId);
      if (row?.state === 'pending' || row?.state === 'allowed') expire(row, 'policy has decided otherwise');
    },
    /** A turn is over, however it ended: nothing of it waits any more. */
    runEnded(runId: string): void {
      if (!runs.delete(runId)) return;
      try {
        for (const row of table.openOf(runId)) expire(row, 'its turn is over');
        grants.runEnded(runId);
      } catch {
        // Nothing can be stored any more; the next start sweeps it up, and no call of the run is left to use it.
      }
    },
    /** After a start: what ran out meanwhile, or belongs to a turn that nobody takes up again. */
    sweep(): void {
      for (const row of table.orphans(now())) {
        expire(row, row.expiresAtMs <= now() ? IN_TIME : 'its turn is over');
      }
      grants.sweep();
    },

    /** Oldest first, and the lines of a card in their order. */
    list: (limit = MAX_PENDING): Approval[] =>
      table
        .pending(limit)
        .map(approvalOf)
        .sort((a, b) => a.createdAtMs - b.createdAtMs || a.code.localeCompare(b.code) || a.line - b.line),
    recent: (limit: number): Approval[] => table.recent(limit).map(approvalOf),
    get: (id: string): Approval | null => approvalFrom(table.get(id)),
    /** By code (as people type it, `K7` or `K7.2`) or id: the one that waits, else the last that did. */
    find(typed: string): Approval | null {
      const [, code = typed, line] = /^(\w+)\.(\d+)$/.exec(typed) ?? [];
      const found = approvalFrom(table.get(typed) ?? table.ofCode(code.toUpperCase()));
      if (found === null || found.id === typed) return found;
      const card = cardOf(found);
      if (line !== undefined) return card[Number(line) - 1] ?? null;
      return card.find(({ state }) => state === 'pending') ?? found;
    },
    /** All lines of its card. */
    cardOf,
    pendingIn: (sessionKey: string): Approval[] =>
      [...waiters.keys()].flatMap((id) => {
        const row = table.get(id);
        return row?.sessionKey === sessionKey ? [approvalOf(row)] : [];
      }),
    /** An answer counts once: whoever comes second is told who was first. */
    resolve(id: string, decision: ApprovalDecision, by: By): Resolution {
      const row = table.get(id);
      if (!row) return { ok: false, problem: 'UNKNOWN', approval: null };
      const approval = approvalOf(row);
      if (approval.state === 'expired') return { ok: false, problem: 'EXPIRED', approval };
      if (approval.state !== 'pending') return { ok: false, problem: 'ANSWERED', approval };
      if (row.expiresAtMs <= now()) {
        expire(row, IN_TIME);
        return { ok: false, problem: 'EXPIRED', approval: approvalFrom(table.get(id)) };
      }
      const { always, task, runId } = approval;
      if (decision === 'allow-always' && always === null) return { ok: false, problem: 'NOT_ALWAYS', approval };
      if (decision === 'allow-task' && task === null) return { ok: false, problem: 'NOT_TASK', approval };
      const answered = { decision, by: by.name, atMs: now() };
      const closed = close(row, 'pending', decision === 'deny' ? 'denied' : 'allowed', answered, by.facts, () => {
        if (decision === 'allow-always' && always) grants.give(always, { ...approval, runId: null }, by);
        if (decision === 'allow-task' && task) grants.give(task, { ...approval, runId }, by);
      });
      if (closed) return { ok: true, approval: closed };
      return { ok: false, problem: 'ANSWERED', approval: approvalFrom(table.get(id)) };
    },
    /** The same answer to every line that still waits. */
    resolveCard(id: string, decision: 'allow-once' | 'deny', by: By): Resolution {
      const named = approvalFrom(table.get(id));
      if (!named) return { ok: false, problem: 'UNKNOWN', approval: null };
      const waiting = cardOf(named).filter(({ state }) => state === 'pending');
      const outcomes = waiting.map((one) => this.resolve(one.id, decision, by));
      return outcomes.find(({ ok }) => ok) ?? outcomes[0] ?? this.resolve(id, decision, by);
    },
  };
}

const charsOf = ({ facts }: Question): number =>
  facts.reduce((sum, { name, value }) => sum + name.length + value.length, 0);

const stopped = ({ reason }: AbortSignal): Answer =>
  reason === 'shutdown' ? { kind: 'asleep' } : { kind: 'no', why: 'the turn was stopped', fix: '' };

const STOP_ASKING = 'do not try again; tell the owner what you could not do';

function answerOf({ id, state, answered }: Approval): Answer {
  const again = 'do not try again unless the owner asks for it';
  if (state === 'allowed') return { kind: 'allowed', id };
  if (state === 'denied') return { kind: 'no', why: 'the owner said no', fix: again };
  if (state === 'used') return { kind: 'no', why: 'its approval was used already', fix: again };
  const why = answered?.by ?? 'it ran out';
  return { kind: 'no', why: why === IN_TIME ? 'the owner did not answer in time' : why, fix: again };
}

const approvalFrom = (row: ApprovalRow | null): Approval | null => row && approvalOf(row);

function approvalOf(row: ApprovalRow): Approval {
  const answered = row.answer === '' ? null : (JSON.parse(row.answer) as Answered);
  // What an older gateway asked had a card of its own.
  const alone = { line: 1, lines: 1, task: null };
  return { ...alone, ...(JSON.parse(row.body) as Asked), state: row.state as ApprovalState, answered };
}
