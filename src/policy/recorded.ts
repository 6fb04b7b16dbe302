// Owns what the journal has of a decision: who asked for what, from which sources, by which rule, and the hash of the
// arguments. The arguments themselves are never in it; they stand in the record of calls for as long as that is kept.
import { hashOfArgs } from '../journal/reading.ts';
import type { Decision, ToolCall } from './decide.ts';
import type { Effect } from './effects.ts';

/** What nobody would read to the end is counted. */
const MAX_EFFECTS = 16;
const MAX_CHARS = 200;

export function recordOf(call: ToolCall, decision: Decision, effects: readonly Effect[]): Record<string, unknown> {
  const { turnId: run, callId, name, sessionKey: session, speaker, args, context } = call;
  return {
    ...{ run, call: callId, tool: name, decision: decision.kind },
    ...(decision.kind === 'allow' ? {} : { code: decision.code, key: decision.key }),
    ...{ session, sender: `${speaker.channel}:${speaker.sender}`, as: speaker.principal.kind },
    ...{ effects: shortOf(effects), args: hashOfArgs(args), trust: context.integrity, sources: context.sources },
  };
}

function shortOf(effects: readonly Effect[]): string[] {
  const short = effects.slice(0, MAX_EFFECTS).map((effect) => cut(shortForm(effect)));
  return effects.length > MAX_EFFECTS ? [...short, `more:${effects.length - MAX_EFFECTS}`] : short;
}

/** Kind and object, without words that somebody wrote: no text, no question, no parameters of an address. */
function shortForm(effect: Effect): string {
  switch (effect.kind) {
    case 'read':
    case 'write':
      return `${effect.kind}:${effect.path}`;
    case 'run':
      return `run:${effect.elevated ? 'elevated' : effect.where}`;
    case 'process':
      return `process:${effect.id}`;
    case 'message':
      return `message:${effect.to}`;
    case 'fetch':
      return `fetch:${effect.url.split(/[?#]/, 1)[0]}`;
    case 'browse':
      return `browse:${effect.act} ${effect.url.split(/[?#]/, 1)[0]}`;
    case 'search':
      return 'search:';
    case 'mail':
      return `mail:${effect.to.join(',')}`;
    default:
      return `${(effect as Effect).kind}:`;
  }
}

const cut = (text: string): string => (text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS - 1)}…` : text);
