// Owns how a session reads: messages, streamed text, tool calls and outgoing messages as a list of turns. Pure; a turn
// that has not changed is the same object as before, so that drawing it again costs nothing.
import type { Message, Tokens } from '../protocol/messages.ts';
import { wordsOf } from '../protocol/messages.ts';
import type { Outgoing } from './outbox.ts';
import type { LivePart, LiveRun, ToolRun, Transcript } from './transcript.ts';

export type ToolPart = {
  readonly type: 'tool';
  readonly id: string;
  readonly name: string;
  readonly args: unknown;
  readonly output: string | null;
  /** `queued`: asked for, not begun */
  readonly state: 'queued' | 'running' | 'done' | 'failed' | 'unanswered';
  readonly startedAtMs: number | null;
  readonly durationMs: number | null;
};
export type TextPart = { readonly type: 'text'; readonly text: string; readonly streaming: boolean };

export type UserTurn = {
  readonly kind: 'user';
  readonly key: string;
  readonly text: string;
  readonly atMs: number;
  /** null once it is part of the conversation */
  readonly outgoing: Outgoing | null;
};
export type AssistantTurn = {
  readonly kind: 'assistant';
  readonly key: string;
  readonly runId: string;
  readonly parts: readonly (TextPart | ToolPart)[];
  readonly atMs: number;
  readonly model: string;
  readonly tokens: Tokens | null;
  readonly running: boolean;
  readonly stopReason: string;
};
export type NoticeTurn = {
  readonly kind: 'notice';
  readonly key: string;
  readonly text: string;
  readonly atMs: number;
  /** stopped by the person, so nothing went wrong */
  readonly calm: boolean;
  /** it waits for the person to say that it goes on */
  readonly paused: boolean;
  /** what the person had asked, so that it can be sent again */
  readonly retryText: string | null;
};
export type Turn = UserTurn | AssistantTurn | NoticeTurn;

export type TurnList = { readonly turns: readonly Turn[]; readonly sources: ReadonlyMap<string, readonly unknown[]> };
export const NO_TURNS: TurnList = { turns: [], sources: new Map() };

type Draft = { readonly key: string; readonly runId: string; readonly messages: Message[]; live: LiveRun | null };

export function buildTurns(transcript: Transcript, outgoing: readonly Outgoing[], before: TurnList): TurnList {
  const turns: Turn[] = [];
  const sources = new Map<string, readonly unknown[]>();
  const known = new Map(before.turns.map((turn) => [turn.key, turn]));
  const push = (key: string, madeOf: readonly unknown[], make: () => Turn): void => {
    const old = known.get(key);
    const was = before.sources.get(key);
    const same = old && was?.length === madeOf.length && was.every((value, at) => value === madeOf[at]);
    turns.push(same ? old : make());
    sources.set(key, madeOf);
  };

  const drafts = collect(transcript, outgoing);
  for (const draft of drafts) {
    if ('outgoing' in draft) {
      push(draft.key, [draft.outgoing], () =>
        userTurn(draft.key, draft.outgoing.text, draft.outgoing.createdAtMs, draft.outgoing),
      );
      continue;
    }
    const [first] = draft.messages;
    if (first && first.role !== 'assistant' && first.role !== 'tool') {
      const asked = first.role === 'notice' ? askedBy(transcript, first.runId) : null;
      push(draft.key, [first, asked], () =>
        first.role === 'user'
          ? userTurn(draft.key, wordsOf(first), first.atMs, null)
          : {
              kind: 'notice',
              key: draft.key,
              text: wordsOf(first),
              atMs: first.atMs,
              calm: first.stopReason === 'aborted',
              paused: first.stopReason === 'paused',
              retryText: asked,
            },
      );
      continue;
    }
    const calls = callIds(draft).map((id) => transcript.tools.get(id));
    push(draft.key, [...draft.messages, draft.live, ...calls], () => assistantTurn(draft, transcript.tools));
  }
  return { turns, sources };
}

type Piece = Draft | { readonly key: string; readonly outgoing: Outgoing };

/** Which messages make up one turn: an answer with its tool calls is one, until somebody else speaks. */
function collect(transcript: Transcript, outgoing: readonly Outgoing[]): Piece[] {
  const pieces: Piece[] = [];
  const segments = new Map<string, number>();
  const segmentKey = (runId: string): string => {
    const n = segments.get(runId) ?? 0;
    segments.set(runId, n + 1);
    return `answer:${runId}:${n}`;
  };
  let open: Draft | null = null;
  const placed = new Set<string>();
  const placeRun = (run: LiveRun): void => {
    placed.add(run.runId);
    if (open && open.runId === run.runId) open.live = run;
    else if (run.running || run.parts.length > 0)
      pieces.push({ key: segmentKey(run.runId), runId: run.runId, messages: [], live: run });
  };
  for (const message of transcript.messages) {
    const { role, runId, seq } = message;
    if (role === 'user' || role === 'notice') {
      const cutOff = role === 'notice' ? transcript.runs.get(runId) : undefined;
      // What a failed run had said comes before the notice of its failure.
      if (cutOff && !cutOff.running) placeRun(cutOff);
      // A person's turn keeps its key from the outbox into the transcript.
      const key = role === 'user' ? `asked:${runId || seq}` : `notice:${seq}`;
      pieces.push({ key, runId, messages: [message], live: null });
      open = null;
    } else if (open && open.runId === runId) open.messages.push(message);
    else {
      open = { key: segmentKey(runId), runId, messages: [message], live: null };
      pieces.push(open);
    }
  }
  const waiting = outgoing.filter((o) => !transcript.messages.some((m) => m.role === 'user' && m.runId === o.id));
  for (const run of transcript.runs.values()) {
    if (placed.has(run.runId) || waiting.some((o) => o.id === run.runId)) continue;
    if (!isSteered(transcript, run)) placeRun(run);
  }
  for (const out of waiting) {
    pieces.push({ key: `asked:${out.id}`, outgoing: out });
    const run = transcript.runs.get(out.id);
    if (run && run.parts.length > 0) placeRun(run);
  }
  return pieces;
}

/** A message that was taken into another turn has a run of its own, in which nothing is said. */
function isSteered(transcript: Transcript, run: LiveRun): boolean {
  if (run.parts.length > 0) return false;
  const others = [...transcript.runs.values()].filter((r) => r.running && r.runId !== run.runId);
  const asked = transcript.messages.findLast((m) => m.role === 'user' && m.runId === run.runId);
  return others.some((other) => {
    const began = transcript.messages.find((m) => m.runId === other.runId);
    return began !== undefined && asked !== undefined && began.seq < asked.seq;
  });
}

function askedBy(transcript: Transcript, runId: string): string | null {
  const asked = transcript.messages.findLast((m) => m.role === 'user' && m.runId === runId);
  return asked ? wordsOf(asked) : null;
}

function userTurn(key: string, text: string, atMs: number, outgoing: Outgoing | null): UserTurn {
  return { kind: 'user', key, text, atMs, outgoing };
}

function callIds(draft: Draft): string[] {
  const stored = draft.messages.flatMap((m) => m.blocks.flatMap((b) => (b.type === 'toolCall' ? [b.id] : [])));
  return [...stored, ...(draft.live?.parts ?? []).flatMap((p) => (p.type === 'tool' ? [p.id] : []))];
}

function assistantTurn(draft: Draft, tools: ReadonlyMap<string, ToolRun>): AssistantTurn {
  const running = draft.live?.running ?? false;
  const results = new Map(
    draft.messages.flatMap((m) =>
      m.blocks.flatMap((b) => (b.type === 'toolResult' ? [[b.toolCallId, { ...b, atMs: m.atMs }] as const] : [])),
    ),
  );
  const parts: (TextPart | ToolPart)[] = [];
  const addTool = (id: string, name: string, args: unknown, calledAtMs: number | null): void => {
    const seen = tools.get(id);
    const result = results.get(id);
    const output = result?.text ?? seen?.output ?? null;
    const ended = output !== null;
    const durationMs =
      seen?.endedAtMs != null
        ? seen.endedAtMs - seen.startedAtMs
        : result && calledAtMs !== null
          ? Math.max(0, result.atMs - calledAtMs)
          : null;
    const isError = result?.isError ?? seen?.isError ?? false;
    const state = ended ? (isError ? 'failed' : 'done') : !running ? 'unanswered' : seen ? 'running' : 'queued';
    parts.push({
      type: 'tool',
      id,
      name,
      args,
      output,
      state,
      startedAtMs: seen?.startedAtMs ?? calledAtMs,
      durationMs,
    });
  };
  for (const message of draft.messages) {
    for (const block of message.blocks) {
      if (block.type === 'text' && block.text.trim() !== '')
        parts.push({ type: 'text', text: block.text, streaming: false });
      else if (block.type === 'toolCall') addTool(block.id, block.name, block.args, message.atMs);
    }
  }
  const live: readonly LivePart[] = draft.live?.parts ?? [];
  live.forEach((part, at) => {
    if (part.type === 'tool') addTool(part.id, part.name, part.args, null);
    else parts.push({ type: 'text', text: part.text, streaming: running && at === live.length - 1 });
  });
  const last = draft.messages.at(-1);
  return {
    kind: 'assistant',
    key: draft.key,
    runId: draft.runId,
    parts,
    atMs: last?.atMs ?? draft.live?.startedAtMs ?? 0,
    model: last?.model || draft.live?.model || '',
    tokens: sumTokens(draft.messages),
    running,
    stopReason: last?.stopReason ?? '',
  };
}

function sumTokens(messages: readonly Message[]): Tokens | null {
  // The last message of a run carries the sum of the run.
  return messages.findLast((m) => m.tokens !== null)?.tokens ?? null;
}
