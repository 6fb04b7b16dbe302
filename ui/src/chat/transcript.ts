// Owns what the page knows of one session: the messages that the gateway has, and what a running turn has said since its
// last message. Pure. A message replaces the streamed text it was made of, so nothing can be lost or doubled for good.
import type { Message } from '../protocol/messages.ts';

export type LivePart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool'; readonly id: string; readonly name: string; readonly args: unknown };

/** What a run has produced that is in no message yet. */
export type LiveRun = {
  readonly runId: string;
  readonly running: boolean;
  readonly startedAtMs: number;
  readonly model: string;
  readonly parts: readonly LivePart[];
  /** events were missed: text that follows does not join onto the text before */
  readonly gap: boolean;
};

/** What is known of a tool call beyond its block: seen while it ran. */
export type ToolRun = {
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly output: string | null;
  readonly isError: boolean;
};

export type Transcript = {
  readonly sessionId: string | null;
  readonly loaded: boolean;
  /** by rising seq */
  readonly messages: readonly Message[];
  /** older messages exist */
  readonly hasMore: boolean;
  readonly runs: ReadonlyMap<string, LiveRun>;
  readonly tools: ReadonlyMap<string, ToolRun>;
};

export const EMPTY: Transcript = {
  sessionId: null,
  loaded: false,
  messages: [],
  hasMore: false,
  runs: new Map(),
  tools: new Map(),
};

/** What chat.history says of a run that is going on. */
export type InFlight = {
  readonly runId: string;
  /** said since the last tool call began */
  readonly text: string;
  readonly startedAtMs: number;
  readonly tools: readonly {
    readonly id: string;
    readonly name: string;
    readonly args: unknown;
    readonly startedAtMs: number;
  }[];
};

export type Page = {
  readonly sessionId: string | null;
  readonly messages: readonly Message[];
  readonly hasMore: boolean;
};

/** The newest page: the gateway's word replaces ours from its first message on. */
export function withLatest(
  before: Transcript,
  page: Page,
  activeRunIds: readonly string[],
  inFlight: InFlight | null,
  nowMs: number,
): Transcript {
  const same = before.sessionId === null || before.sessionId === page.sessionId;
  const first = page.messages[0]?.seq ?? 0;
  const older = same && page.hasMore ? before.messages.filter((m) => m.seq < first) : [];
  // Older messages join on only without a hole between them and the page.
  const joins = older.length > 0 && older.at(-1)?.seq === first - 1;
  const after: Transcript = {
    sessionId: page.sessionId,
    loaded: true,
    messages: joins ? [...older, ...page.messages] : page.messages,
    hasMore: joins ? before.hasMore : page.hasMore,
    // What had been streamed is in the page or in `inFlight`: the rest is of no run any more.
    runs: new Map(
      activeRunIds.map((id) => [
        id,
        { ...(before.runs.get(id) ?? startedRun(id, nowMs)), running: true, gap: false, parts: [] },
      ]),
    ),
    tools: before.tools,
  };
  return inFlight ? withInFlight(after, inFlight, before.runs.get(inFlight.runId)) : after;
}

function withInFlight(before: Transcript, inFlight: InFlight, heardOf: LiveRun | undefined): Transcript {
  const { runId, startedAtMs } = inFlight;
  const known = heardOf ?? startedRun(runId, startedAtMs);
  const called = callsOf(before.messages, runId);
  const tools = new Map(before.tools);
  for (const tool of inFlight.tools) {
    if (!tools.has(tool.id))
      tools.set(tool.id, { startedAtMs: tool.startedAtMs, endedAtMs: null, output: null, isError: false });
  }
  const last = known.parts.at(-1);
  const heard = last?.type === 'text' ? last.text : '';
  // What was heard without a gap goes on by itself: the gateway may hold a piece that it has yet to send.
  // To who joined late it sends all of the text with the next piece, so what it says now is safe to take.
  const text = heardOf && !heardOf.gap ? heard : inFlight.text;
  const parts: LivePart[] = inFlight.tools
    .filter((t) => !called.has(t.id))
    .map(({ id, name, args }) => ({ type: 'tool', id, name, args }));
  if (text !== '') parts.push({ type: 'text', text });
  const run: LiveRun = { ...known, running: true, startedAtMs, parts, gap: false };
  return { ...before, tools, runs: new Map(before.runs).set(runId, run) };
}

function callsOf(messages: readonly Message[], runId: string): ReadonlySet<string> {
  return new Set(
    messages.flatMap((m) => (m.runId === runId ? m.blocks.flatMap((b) => (b.type === 'toolCall' ? [b.id] : [])) : [])),
  );
}

export function withOlder(before: Transcript, page: Page): Transcript {
  if (page.sessionId !== before.sessionId) return before;
  const first = before.messages[0]?.seq ?? Infinity;
  return {
    ...before,
    messages: [...page.messages.filter((m) => m.seq < first), ...before.messages],
    hasMore: page.hasMore,
  };
}

/** Keeps memory and the document bounded after a long stay at the end of a long session. */
export function withoutOldest(before: Transcript, keep: number): Transcript {
  if (before.messages.length <= keep * 2) return before;
  return { ...before, messages: before.messages.slice(-keep), hasMore: true };
}

export function withMessage(before: Transcript, message: Message): Transcript {
  if (message.seq <= 0) return before;
  const at = before.messages.findLastIndex((m) => m.seq <= message.seq);
  const replaced = before.messages[at]?.seq === message.seq ? 1 : 0;
  const messages = before.messages.toSpliced(at + 1 - replaced, replaced, message);
  const run = before.runs.get(message.runId);
  if (!run) return { ...before, messages };
  return { ...before, messages, runs: new Map(before.runs).set(run.runId, cover(run, message)) };
}

/** A message stands for the live parts it was made from: they go. */
function cover(run: LiveRun, message: Message): LiveRun {
  // A notice tells of a failure: what had been said until then is in no message, and stays in sight.
  if (message.role !== 'assistant') return run;
  const called = new Set(message.blocks.flatMap((b) => (b.type === 'toolCall' ? [b.id] : [])));
  const lastCovered = run.parts.findLastIndex((p) => p.type === 'tool' && called.has(p.id));
  // Without a call in common, all text so far is this message's: the model's next words come after it.
  const end = lastCovered === -1 ? run.parts.findLastIndex((p) => p.type === 'text') : lastCovered;
  return {
    ...run,
    gap: false,
    parts: run.parts.filter((p, at) => at > end || (p.type === 'tool' && !called.has(p.id))),
  };
}

function startedRun(runId: string, startedAtMs: number): LiveRun {
  return { runId, running: true, startedAtMs, model: '', parts: [], gap: false };
}

export function withRunStarted(before: Transcript, runId: string, nowMs: number, model = ''): Transcript {
  const known = before.runs.get(runId);
  if (known?.running && (model === '' || known.model === model)) return before;
  const run = { ...(known ?? startedRun(runId, nowMs)), running: true };
  return { ...before, runs: new Map(before.runs).set(runId, model === '' ? run : { ...run, model }) };
}

/** `replace`: the text is all that the current part has said, not what it adds. */
export function withText(before: Transcript, runId: string, text: string, replace: boolean, nowMs: number): Transcript {
  if (text === '' && !replace) return before;
  const run = before.runs.get(runId) ?? startedRun(runId, nowMs);
  const last = run.parts.at(-1);
  const said = last?.type === 'text' ? last.text : '';
  const glue = run.gap && !replace ? (said === '' ? '\u2026 ' : ' \u2026 ') : '';
  const part: LivePart = { type: 'text', text: replace ? text : said + glue + text };
  const parts = last?.type === 'text' ? [...run.parts.slice(0, -1), part] : [...run.parts, part];
  return { ...before, runs: new Map(before.runs).set(runId, { ...run, running: true, gap: false, parts }) };
}

export function withToolStart(
  before: Transcript,
  runId: string,
  tool: { id: string; name: string; args: unknown },
  nowMs: number,
): Transcript {
  const run = before.runs.get(runId) ?? startedRun(runId, nowMs);
  const inMessage = before.messages.some(
    (m) => m.runId === runId && m.blocks.some((b) => b.type === 'toolCall' && b.id === tool.id),
  );
  const known = inMessage || run.parts.some((p) => p.type === 'tool' && p.id === tool.id);
  const parts: readonly LivePart[] = known ? run.parts : [...run.parts, { type: 'tool', ...tool }];
  return {
    ...before,
    runs: new Map(before.runs).set(runId, { ...run, running: true, parts }),
    tools: new Map(before.tools).set(tool.id, { startedAtMs: nowMs, endedAtMs: null, output: null, isError: false }),
  };
}

export function withToolEnd(
  before: Transcript,
  id: string,
  end: { output: string; isError: boolean },
  nowMs: number,
): Transcript {
  const startedAtMs = before.tools.get(id)?.startedAtMs ?? nowMs;
  return { ...before, tools: new Map(before.tools).set(id, { startedAtMs, endedAtMs: nowMs, ...end }) };
}

/** The run is over. What it said and is in no message yet stays until the messages have been fetched. */
export function withRunEnded(before: Transcript, runId: string): Transcript {
  const run = before.runs.get(runId);
  if (!run) return before;
  const runs = new Map(before.runs);
  if (run.parts.length === 0) runs.delete(runId);
  else runs.set(runId, { ...run, running: false });
  return { ...before, runs };
}

/** The connection was lost: whatever is said from now on does not join onto what was said before. */
export function withGap(before: Transcript): Transcript {
  return {
    ...before,
    runs: new Map(
      [...before.runs].map(([id, run]) => [id, run.parts.length > 0 || run.running ? { ...run, gap: true } : run]),
    ),
  };
}

export function isRunning(transcript: Transcript): boolean {
  return [...transcript.runs.values()].some((run) => run.running);
}

/** True when the run's last word is among the messages. */
export function isComplete(transcript: Transcript, runId: string): boolean {
  const last = transcript.messages.findLast((m) => m.runId === runId);
  if (last?.role === 'notice') return true;
  return last?.role === 'assistant' && last.blocks.every((b) => b.type !== 'toolCall');
}
