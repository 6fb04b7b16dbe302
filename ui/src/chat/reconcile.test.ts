// A gateway in miniature says what the real one says, in its order, with its coalescing of text, to a page that loses its
// connection, comes back and looks things up at any moment. Whatever happens, the page must show the conversation.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Block, Message } from '../protocol/messages.ts';
import * as t from './transcript.ts';
import { buildTurns, NO_TURNS, type TurnList } from './turns.ts';

const RUN = 'run-1';

type Step = 'word' | 'flush' | 'tool' | 'drop' | 'join' | 'look';

/** The gateway's side of one run, and the page's side of the connection. */
function play(steps: readonly Step[]) {
  const messages: Message[] = [];
  let [text, unsent, spoken, calls] = ['', '', '', 0];
  let running = true;
  let open: { id: string; startedAtMs: number } | null = null;
  let [connected, lacksBeginning] = [true, false];
  let page = t.EMPTY;
  let list: TurnList = NO_TURNS;
  const shown: string[] = [];

  const draw = (): void => {
    list = buildTurns(page, [], list);
    shown.push(textOf(list));
  };
  const tell = (change: (before: t.Transcript) => t.Transcript): void => {
    if (!connected) return;
    page = change(page);
    draw();
  };
  const flush = (): void => {
    if (unsent === '') return;
    const [piece, whole] = [unsent, text];
    unsent = '';
    if (lacksBeginning) {
      tell((p) => t.withText(p, RUN, whole, true, 0));
      lacksBeginning = !connected;
    } else tell((p) => t.withText(p, RUN, piece, false, 0));
  };
  const store = (role: Message['role'], blocks: Block[], stopReason = ''): void => {
    flush();
    const message: Message = {
      seq: messages.length + 1,
      role,
      blocks,
      atMs: 0,
      runId: RUN,
      model: '',
      tokens: null,
      stopReason,
    };
    messages.push(message);
    tell((p) => (p.loaded ? t.withMessage(p, message) : p));
  };
  const look = (): void => {
    const inFlight = running
      ? { runId: RUN, text, startedAtMs: 0, tools: open ? [{ ...open, name: 'ls', args: {} }] : [] }
      : null;
    tell((p) =>
      t.withLatest(p, { sessionId: 's', messages: [...messages], hasMore: false }, running ? [RUN] : [], inFlight, 0),
    );
  };

  store('user', [{ type: 'text', text: 'go' }]);
  look();
  for (const step of steps) {
    if (step === 'word') {
      const word = `w${spoken.length} `;
      [text, unsent, spoken] = [text + word, unsent + word, spoken + word];
    } else if (step === 'flush') flush();
    else if (step === 'tool' && !open) {
      calls++;
      const id = `call-${calls}`;
      store('assistant', [
        ...(text === '' ? [] : [{ type: 'text' as const, text }]),
        { type: 'toolCall', id, name: 'ls', args: {} },
      ]);
      flush();
      open = { id, startedAtMs: 0 };
      tell((p) => t.withToolStart(p, RUN, { id, name: 'ls', args: {} }, 0));
      [text, unsent, lacksBeginning] = ['', '', !connected];
    } else if (step === 'drop') {
      connected = false;
      page = t.withGap(page);
      lacksBeginning = true;
    } else if (step === 'join' && !connected) {
      connected = true;
      lacksBeginning = text !== '';
      look();
    } else if (step === 'look') look();
    if (open && step !== 'tool') {
      const { id } = open;
      open = null;
      tell((p) => t.withToolEnd(p, id, { output: `out of ${id}`, isError: false }, 1));
      store('tool', [{ type: 'toolResult', toolCallId: id, name: 'ls', text: `out of ${id}`, isError: false }]);
    }
  }
  if (open)
    store('tool', [
      { type: 'toolResult', toolCallId: (open as { id: string }).id, name: 'ls', text: 'late', isError: false },
    ]);
  store('assistant', [{ type: 'text', text: `${text}end` }], 'stop');
  running = false;
  tell((p) => t.withRunEnded(p, RUN));
  if (!connected) {
    connected = true;
    look();
  }
  return { list, shown, calls, said: `${spoken}end` };
}

function textOf(list: TurnList): string {
  return list.turns
    .flatMap((turn) =>
      turn.kind === 'assistant' ? turn.parts.flatMap((p) => (p.type === 'text' ? [p.text] : [])) : [],
    )
    .join('');
}

const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constant<Step>('word') },
    { weight: 4, arbitrary: fc.constant<Step>('flush') },
    { weight: 2, arbitrary: fc.constantFrom<Step>('tool', 'drop', 'join', 'look') },
  ),
  { maxLength: 60 },
);

describe('the page beside the gateway', () => {
  test('shows every word once at the end, whatever was lost on the way', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const { list, said, calls } = play(todo);
        expect(textOf(list)).toBe(said);
        const cards = list.turns.flatMap((turn) =>
          turn.kind === 'assistant' ? turn.parts.filter((p) => p.type === 'tool') : [],
        );
        expect(cards.map((card) => card.type === 'tool' && card.id)).toEqual(
          Array.from({ length: calls }, (_, n) => `call-${n + 1}`),
        );
        expect(list.turns.filter((turn) => turn.kind === 'user')).toHaveLength(1);
      }),
      { numRuns: 3_000 },
    );
  });

  test('never shows a word twice while the reply is still coming', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        for (const text of play(todo).shown) {
          const words = text.match(/w\d+ /g) ?? [];
          expect(new Set(words).size, text).toBe(words.length);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test('with an unbroken connection what is shown only grows', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const { shown, said } = play(todo.filter((step) => step !== 'drop'));
        shown.forEach((text, at) => {
          expect(said.startsWith(text), `step ${at}: ${text}`).toBe(true);
          expect(text.length).toBeGreaterThanOrEqual((shown[at - 1] ?? '').length);
        });
      }),
      { numRuns: 1_000 },
    );
  });
});
