// Owns how one turn appears while it runs: text as it comes on a terminal's stdout, one dim line a tool on stderr. What
// is not a terminal gets the finished text only, so that a pipe reads an answer and nothing else.
import { type Output, span } from '../output.ts';
import { callLine, failureLine } from '../print/calls.ts';
import { createStreamEscape } from '../print/text.ts';

export type Answer = {
  /** `replace`: the delta is all the text since the last tool call */
  text(delta: string, replace: boolean): void;
  tool(name: string, args: unknown): void;
  toolFailed(text: string): void;
  /** ends the line that is open, so that something else can be printed */
  pause(): void;
  /** `text`: the whole answer, printed unless it was streamed */
  finish(text: string): void;
};

/** What of a delta is new. Text that does not go on from what was shown has to be shown from its start. */
export function rest(
  shown: string,
  delta: string,
  replace: boolean,
): { readonly text: string; readonly restart: boolean } {
  if (!replace) return { text: delta, restart: false };
  return delta.startsWith(shown) ? { text: delta.slice(shown.length), restart: false } : { text: delta, restart: true };
}

const LEAST_COLUMNS = 20;

export function createAnswer(out: Output): Answer {
  const streams = out.streams.stdout.isTTY === true && !out.json;
  const columns = Math.max(LEAST_COLUMNS, (out.streams.stderr.columns ?? 100) - 4);
  const safely = createStreamEscape();
  let shown = '';
  let open = false;
  let streamed = false;
  const write = (text: string): void => {
    if (text === '') return;
    out.streams.stdout.write(text);
    open = !text.endsWith('\n');
    streamed = true;
  };
  const pause = (): void => {
    write(safely.end());
    if (open) out.streams.stdout.write('\n');
    open = false;
  };
  return {
    text: (delta, replace) => {
      if (!streams) return;
      const piece = rest(shown, delta, replace);
      shown = replace ? delta : shown + delta;
      if (piece.restart) pause();
      write(safely.push(piece.text));
    },
    tool: (name, args) => {
      pause();
      shown = '';
      out.note(span('dim', `> ${callLine(name, args, columns)}`));
    },
    toolFailed: (text) => {
      pause();
      out.note(span('dim', `  failed: ${failureLine(text, columns)}`));
    },
    pause,
    finish: (text) => {
      pause();
      if (!streamed && text !== '') out.text(text.endsWith('\n') ? text : `${text}\n`);
    },
  };
}
