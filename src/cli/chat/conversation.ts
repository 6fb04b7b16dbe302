// Owns one conversation in the terminal: what was said, what is being said, what waits to be sent. A typed message has
// its id before it leaves, and is sent again with the same id until the gateway has it: never lost, never said twice.
import { HardshellError, reasonOf } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { type Approval, nameOf } from '../../policy/approvals/approval.ts';
import type { GatewayEvent } from '../client.ts';
import { type Heard, hear } from '../connect/run-events.ts';
import {
  listOf,
  type Message,
  objectOf,
  readApproval,
  readMessage,
  shortKey,
  textOf,
  wordsOf,
} from '../connect/wire.ts';
import { span } from '../output.ts';
import { approvalLines, callLine, failureLine } from '../print/calls.ts';
import { rest } from './answer.ts';
import { isYes } from './ask-owner.ts';
import type { Link } from './link.ts';
import type { Screen } from './screen.ts';

type Run = {
  /** text since the last tool call, as it was shown */
  shown: string;
  /** whether anything of it was shown at all */
  spoke: boolean;
  readonly startedAtMs: number;
};

export type Conversation = {
  readonly key: string;
  readonly busy: boolean;
  /** the question that the next typed line answers, when there is one */
  readonly question: Approval | null;
  send(text: string): void;
  answer(text: string): void;
  abort(): Promise<boolean>;
  /** goes over to another session and shows what was said there */
  open(key: string): Promise<void>;
  heard(event: GatewayEvent): void;
  /** after the connection was made again */
  resume(): Promise<void>;
  /** resolves when nothing is under way */
  settled(): Promise<void>;
};

export type ConversationPorts = { readonly screen: Screen; readonly link: () => Link; readonly columns: number };

const AT_START = 20;
const AFTER_A_GAP = 200;

export function createConversation({ screen, link, columns }: ConversationPorts): Conversation {
  let key = '';
  let lastSeq = 0;
  const unsent = new Map<string, string>();
  const mine = new Set<string>();
  const runs = new Map<string, Run>();
  const questions: Approval[] = [];
  let idle: (() => void)[] = [];
  let halfTyped = '';

  const runOf = (runId: string): Run => {
    const run = runs.get(runId) ?? { shown: '', spoke: false, startedAtMs: Date.now() };
    runs.set(runId, run);
    refresh();
    return run;
  };
  const settle = (): void => {
    refresh();
    if (runs.size > 0 || unsent.size > 0) return;
    for (const wake of idle) wake();
    idle = [];
  };
  /** The prompt says what is going on, and since when. */
  const refresh = (): void => {
    const [first] = runs.values();
    const seconds = first ? Math.floor((Date.now() - first.startedAtMs) / 1000) : 0;
    if (questions.length > 0) screen.prompt('allow this once? [y/N] ');
    else screen.prompt(first && seconds >= 1 ? `[${seconds} s] > ` : '> ');
    if (first && timer === undefined) timer = setInterval(refresh, 1000).unref();
    if (!first) {
      clearInterval(timer);
      timer = undefined;
    }
  };
  let timer: NodeJS.Timeout | undefined;

  const deliver = async (id: string, text: string): Promise<void> => {
    const { client } = link();
    if (!client) return;
    // From here on, because the answer and the end of a quick turn can arrive together.
    runOf(id);
    try {
      const params = { sessionKey: key, message: text, idempotencyKey: id };
      const { status } = objectOf(await client.request('chat.send', params));
      unsent.delete(id);
      // It was said and answered before; the transcript has it.
      if (status === 'done') runs.delete(id);
    } catch (error) {
      // A lost connection sends it again by itself.
      if (link().client !== client) return;
      unsent.delete(id);
      runs.delete(id);
      sayFailure('not sent', error);
      if (screen.typed === '') screen.typed = text;
    }
    settle();
  };
  const sayFailure = (what: string, error: unknown): void => {
    screen.line(span('red', `${what}: `), reasonOf(error));
    if (error instanceof HardshellError && error.fix !== undefined) screen.line(span('dim', `fix: ${error.fix}`));
  };

  const say = (run: Run, delta: string, replace: boolean): void => {
    const piece = rest(run.shown, delta, replace);
    run.shown = replace ? delta : run.shown + delta;
    if (piece.text === '') return;
    if (piece.restart) screen.endText();
    run.spoke = true;
    screen.write(piece.text);
  };
  const showMessage = (message: Message): void => {
    if (message.seq > 0 && message.seq <= lastSeq) return;
    lastSeq = Math.max(lastSeq, message.seq);
    const words = wordsOf(message);
    if (message.role === 'user') {
      // What was typed here stands on the screen already.
      if (!mine.has(message.runId) && words !== '') screen.line(span('bold', `you: ${words}`));
      return;
    }
    const run = runs.get(message.runId);
    if (message.role === 'assistant' && words !== '') {
      if (run?.spoke) say(run, words, true);
      else screen.write(words);
      screen.endText();
    } else if (message.role === 'notice' && words !== '') screen.line(span('dim', words));
    for (const block of message.blocks) {
      if (block.type === 'toolCall') screen.line(span('dim', `> ${callLine(block.name, block.arguments, columns)}`));
      if (block.type === 'toolResult' && block.isError)
        screen.line(span('dim', `  failed: ${failureLine(block.text, columns)}`));
    }
  };
  const fetchHistory = async (query: object): Promise<void> => {
    const history = objectOf(await link().request('chat.history', { sessionKey: key, ...query }));
    for (const value of listOf(history['messages'])) {
      const message = readMessage(value);
      if (message) showMessage(message);
    }
    const running = objectOf(history['inFlightRun']);
    const runId = textOf(running['runId']);
    // A run that is not going on any more ended while nobody listened; its messages were shown above.
    for (const id of runs.keys()) if (id !== runId && !unsent.has(id)) runs.delete(id);
    if (runId !== '') {
      const run = runOf(runId);
      say(run, textOf(running['text']), true);
    }
    settle();
  };
  const watch = async (): Promise<void> => {
    await link().request('sessions.messages.subscribe', { key });
    for (const value of listOf(await link().request('exec.approval.list', {}))) {
      const approval = readApproval(value);
      if (approval && approval.sessionKey === key && !questions.some((q) => q.id === approval.id)) ask(approval);
    }
  };
  const ask = (approval: Approval): void => {
    // What was half typed is no answer. It comes back when the question is gone.
    if (questions.length === 0) {
      halfTyped = screen.typed;
      screen.typed = '';
    }
    questions.push(approval);
    for (const line of approvalLines(approval, Date.now())) screen.line(span('yellow', line));
    if (!screen.interactive)
      screen.line(`answer it with: openclaw approvals approve ${nameOf(approval) || approval.id}   (or: deny)`);
    refresh();
  };
  const drop = (id: string): void => {
    const at = questions.findIndex((q) => q.id === id);
    if (at === -1) return;
    questions.splice(at, 1);
    goOn();
  };
  const goOn = (): void => {
    refresh();
    if (questions.length === 0 && halfTyped !== '') screen.typed = halfTyped;
  };

  const onEnd = ({ runId, status, message, reason }: Extract<Heard, { type: 'ended' }>): void => {
    const run = runs.get(runId);
    runs.delete(runId);
    lastSeq = Math.max(lastSeq, message?.seq ?? 0);
    // A message that was taken into another turn ends with it; that turn has said everything.
    if (run) {
      if (message && status !== 'error') say(run, wordsOf(message), true);
      screen.endText();
      if (status === 'error') screen.line(span('red', 'the turn failed: '), reason);
      if (status === 'aborted') screen.line(span('dim', '(stopped)'));
    }
    settle();
  };
  const onEvent = (heard: Exclude<Heard, { type: 'approval' | 'approval-closed' }>): void => {
    switch (heard.type) {
      case 'message':
        onMessage(heard.message);
        break;
      case 'ended':
        onEnd(heard);
        break;
      case 'steered':
        runs.delete(heard.runId);
        settle();
        break;
      case 'started':
        runOf(heard.runId);
        break;
      case 'text':
        say(runOf(heard.runId), heard.delta, heard.replace);
        break;
      case 'tool-start':
        runOf(heard.runId).shown = '';
        screen.line(span('dim', `> ${callLine(heard.name, heard.args, columns)}`));
        break;
      case 'tool-end':
        if (heard.isError) screen.line(span('dim', `  failed: ${failureLine(heard.text, columns)}`));
        break;
    }
  };
  /** Messages of a run that is being heard are on the screen as its events; only their place is taken down. */
  const onMessage = (message: Message): void => {
    const heardLive = message.role !== 'user' && runs.has(message.runId);
    if (heardLive) lastSeq = Math.max(lastSeq, message.seq);
    else showMessage(message);
  };

  return {
    get key() {
      return key;
    },
    get busy() {
      return runs.size > 0;
    },
    get question() {
      return questions[0] ?? null;
    },
    send(text) {
      const id = newId();
      mine.add(id);
      unsent.set(id, text);
      void deliver(id, text);
    },
    answer(text) {
      const question = questions.shift();
      if (!question) return;
      const decision = isYes(text) ? 'allow-once' : 'deny';
      screen.line(span('dim', decision === 'deny' ? 'denied' : 'allowed, this once'));
      goOn();
      link()
        .request('exec.approval.resolve', { id: question.id, decision })
        .catch((error: unknown) => sayFailure('not answered', error));
    },
    async abort() {
      if (runs.size === 0) return false;
      const answer = objectOf(await link().request('chat.abort', { sessionKey: key }));
      return answer['aborted'] === true;
    },
    async open(next) {
      if (key !== '') await link().request('sessions.messages.unsubscribe', { key });
      key = next;
      lastSeq = 0;
      runs.clear();
      questions.length = 0;
      screen.line(span('dim', `session ${shortKey(key)}`));
      await watch();
      await fetchHistory({ limit: AT_START });
    },
    heard(event) {
      const heard = hear(event);
      if (heard === null) return;
      if (heard.type === 'approval-closed') return drop(heard.id);
      if (heard.type === 'approval') {
        if (heard.approval.sessionKey === key) ask(heard.approval);
        return;
      }
      if (heard.sessionKey === key) onEvent(heard);
    },
    async resume() {
      questions.length = 0;
      await watch();
      await fetchHistory(lastSeq > 0 ? { afterSeq: lastSeq, limit: AFTER_A_GAP } : { limit: AFTER_A_GAP });
      for (const [id, text] of unsent) await deliver(id, text);
    },
    settled: () =>
      runs.size === 0 && unsent.size === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve)),
  };
}
