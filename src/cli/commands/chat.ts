// Owns `openclaw chat`: puts the screen, the connection and the conversation together, and says when it is over.
import { EXIT, type HardshellError, misused, reasonOf } from '../../platform/errors.ts';
import { type Conversation, createConversation } from '../chat/conversation.ts';
import { type Link, openLink } from '../chat/link.ts';
import { openScreen, type Screen } from '../chat/screen.ts';
import { parseSlash, runSlash } from '../chat/slash.ts';
import type { GatewayEvent } from '../client.ts';
import { canonicalKey } from '../connect/wire.ts';
import type { Context } from '../context.ts';
import { span } from '../output.ts';
import type { TargetFlags } from '../target.ts';

const AGAIN_MS = 2000;

export async function run(
  context: Context,
  options: TargetFlags & { sessionKey?: string; session?: string },
): Promise<number> {
  const { out } = context;
  if (out.json) throw noJson();
  const firstKey = canonicalKey(options.sessionKey ?? options.session ?? 'main');
  const columns = Math.max(20, (out.streams.stdout.columns ?? 100) - 4);
  const { promise: over, resolve: leave } = Promise.withResolvers<void>();
  // The screen opens after the first connection: before it, an error belongs on a plain terminal.
  let screen: Screen | undefined;
  let conversation: Conversation | undefined;
  const early: GatewayEvent[] = [];

  const link: Link = await openLink(context, options, {
    onEvent: (event) => (conversation ? conversation.heard(event) : early.push(event)),
    onDown: (reason) => screen?.line(span('yellow', `${reason}; trying again`)),
    onUp: async () => {
      screen?.line(span('green', 'connected again'));
      await conversation?.resume();
    },
  });

  let interruptedAtMs = 0;
  const onInterrupt = (): void => {
    const nowMs = Date.now();
    const again = nowMs - interruptedAtMs < AGAIN_MS;
    interruptedAtMs = nowMs;
    if (again) {
      leave();
      return;
    }
    if (talk.question) talk.answer('no');
    if (talk.busy) {
      view.line(span('dim', 'stopping the turn; Ctrl-C again leaves'));
      talk.abort().catch((error: unknown) => view.line(span('red', reasonOf(error))));
    } else if (view.typed !== '') view.typed = '';
    else view.line(span('dim', 'Ctrl-C again leaves'));
  };
  let queue: Promise<void> | undefined;
  const take = async (text: string): Promise<void> => {
    if (talk.question && view.interactive) return talk.answer(text);
    if (text.trim() === '') return;
    const command = parseSlash(text);
    if (!command) {
      talk.send(text);
      // A pipe says one thing after the other; a person may speak while the answer comes.
      return view.interactive ? undefined : talk.settled();
    }
    try {
      await runSlash({ screen: view, conversation: talk, link, columns, leave }, command.name, command.rest);
    } catch (error) {
      view.line(span('red', `/${command.name} did not work: `), reasonOf(error));
    }
  };
  const onLine = (text: string): void => {
    queue = (queue ?? opened).then(() => take(text));
  };
  const onEnd = (): void =>
    void (view.interactive ? leave() : (queue ?? opened).then(() => talk.settled()).then(leave));

  const view = openScreen(out, { onLine, onInterrupt, onEnd });
  const talk = createConversation({ screen: view, link: () => link, columns });
  screen = view;
  conversation = talk;
  if (view.interactive) view.line(span('dim', 'Enter sends, Ctrl-C stops a turn, /help lists the commands'));
  const opened = talk.open(firstKey);
  try {
    await opened;
    for (const event of early) talk.heard(event);
    await over;
    return EXIT.ok;
  } finally {
    view.close();
    link.stop();
  }
}

/** A conversation is no single value; refused at once, before a program waits for one. */
function noJson(): HardshellError {
  const message = 'chat is a conversation for people and prints no JSON';
  const fix = 'openclaw agent --json -m "your message"   (one answer, the same conversation)';
  return misused('CHAT_HAS_NO_JSON', message, fix);
}
