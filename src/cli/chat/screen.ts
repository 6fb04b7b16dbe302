// Owns the terminal during a chat: one typed line at the bottom that is never disturbed, everything else above it. All
// text comes in as it is and is escaped here. On a pipe it is plain lines in and plain text out.
import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { Output, Span } from '../output.ts';
import { createStreamEscape, wrapAt } from '../print/text.ts';

export type Screen = {
  readonly interactive: boolean;
  /** a piece of a text that goes on */
  write(text: string): void;
  /** ends the text that is open */
  endText(): void;
  line(...parts: readonly (string | Span)[]): void;
  /** what stands before the typed line */
  prompt(text: string): void;
  /** the line that is being typed; setting it puts the cursor at its end */
  typed: string;
  close(): void;
};
export type ScreenHooks = { onLine(text: string): void; onInterrupt(): void; onEnd(): void };

export function openScreen(out: Output, hooks: ScreenHooks): Screen {
  const { stdin, stdout } = out.streams;
  return stdin.isTTY === true && stdout.isTTY === true ? terminalScreen(out, hooks) : plainScreen(out, hooks);
}

// Lines that come this close together were pasted: they are one message.
const PASTE_MS = 15;

function terminalScreen(out: Output, hooks: ScreenHooks): Screen {
  const { stdin, stdout } = out.streams;
  const lines: Interface = createInterface({ input: stdin, output: stdout, terminal: true, historySize: 200 });
  const safely = createStreamEscape();
  // Where the open text above the prompt ends; 0: there is none.
  let column = 0;
  let closed = false;
  const width = (): number => Math.max(10, (stdout.columns ?? 80) - 1);

  /** Takes the prompt away, lets `act` print, and puts the prompt back below: in one write, so that nothing flickers. */
  const above = (act: () => void): void => {
    if (closed) return;
    stdout.cork();
    const { rows } = lines.getCursorPos();
    moveCursor(stdout, 0, -rows);
    cursorTo(stdout, 0);
    clearScreenDown(stdout);
    if (column > 0) {
      moveCursor(stdout, 0, -1);
      cursorTo(stdout, column);
    }
    act();
    // readline moves up by the rows that it believes to be above the cursor before it draws.
    stdout.write('\n'.repeat(rows + (column > 0 ? 1 : 0)));
    lines.prompt(true);
    stdout.uncork();
  };
  const put = (text: string): void => {
    const wrapped = wrapAt(text, width(), column);
    stdout.write(wrapped.text);
    column = wrapped.column;
  };
  const endText = (): void => {
    const held = safely.end();
    if (column === 0 && held === '') return;
    above(() => {
      put(held);
      if (column > 0) stdout.write('\n');
      column = 0;
    });
  };

  let pasted: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  lines.on('line', (line) => {
    // Enter left the cursor below the typed line, which stays on the screen as what was said.
    column = 0;
    pasted.push(line);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const text = pasted.join('\n');
      pasted = [];
      hooks.onLine(text);
      if (!closed) lines.prompt(true);
    }, PASTE_MS);
  });
  lines.on('SIGINT', () => hooks.onInterrupt());
  lines.on('close', () => {
    if (closed) return;
    // Ctrl-D, perhaps in the middle of an answer: a prompt that is closed cannot be drawn again.
    closed = true;
    hooks.onEnd();
  });
  lines.setPrompt('> ');
  lines.prompt();

  return {
    interactive: true,
    write: (text) => {
      const safe = safely.push(text);
      if (safe !== '') above(() => put(safe));
    },
    endText,
    line: (...parts) => {
      endText();
      above(() => stdout.write(`${out.paint('stdout', ...parts)}\n`));
    },
    prompt: (text) => {
      if (lines.getPrompt() === text) return;
      // The old prompt has to go by the old prompt's measure.
      const { rows } = lines.getCursorPos();
      lines.setPrompt(text);
      if (closed) return;
      stdout.cork();
      moveCursor(stdout, 0, -rows);
      cursorTo(stdout, 0);
      clearScreenDown(stdout);
      stdout.write('\n'.repeat(rows));
      lines.prompt(true);
      stdout.uncork();
    },
    get typed() {
      return lines.line;
    },
    set typed(text) {
      lines.write(null, { ctrl: true, name: 'e' });
      lines.write(null, { ctrl: true, name: 'u' });
      if (text !== '') lines.write(text);
    },
    close() {
      if (!closed) endText();
      closed = true;
      clearTimeout(timer);
      lines.close();
      stdin.pause();
      stdout.write('\n');
    },
  };
}

function plainScreen(out: Output, hooks: ScreenHooks): Screen {
  const { stdin, stdout } = out.streams;
  const lines = createInterface({ input: stdin, terminal: false });
  const safely = createStreamEscape();
  let open = false;
  let closed = false;
  const put = (text: string): void => {
    if (text === '') return;
    stdout.write(text);
    open = !text.endsWith('\n');
  };
  const endText = (): void => {
    put(safely.end());
    if (open) stdout.write('\n');
    open = false;
  };
  const onSignal = (): void => hooks.onInterrupt();
  process.on('SIGINT', onSignal);
  lines.on('line', hooks.onLine);
  lines.on('close', () => {
    if (!closed) hooks.onEnd();
  });
  return {
    interactive: false,
    write: (text) => put(safely.push(text)),
    endText,
    // The answers are the data here; everything else is a remark.
    line: (...parts) => {
      endText();
      out.note(...parts);
    },
    prompt() {},
    typed: '',
    close() {
      if (closed) return;
      closed = true;
      endText();
      process.off('SIGINT', onSignal);
      lines.close();
      stdin.pause();
    },
  };
}
