// Owns where secrets are hidden on the way of a message, one place for each kind: what comes in, what the model says and
// is shown, what tools return, what is written down. Part of the composition; it must never decide what a secret is.
import type { InboundMessage } from './channels/channel.ts';
import { HIDDEN, type Hiding, redactValue } from './log/redact.ts';
import { createStreamRedactor } from './log/stream-redactor.ts';
import type { ModelEvent, ModelRequest, Models, ModelToolCall } from './models/provider.ts';
import { HardshellError } from './platform/errors.ts';
import type { TurnEnd } from './sessions/turn.ts';
import type { SessionRecord } from './store/sessions.ts';
import type { Block, StoredMessage } from './store/transcripts.ts';

export type Hide = ReturnType<typeof createHide>;

/** The model must not take the mark for the text, and write it back over the secret. */
const NOTE = `\n[A secret in this was replaced by ${HIDDEN}. Text with ${HIDDEN} in it must not be written back in its place.]`;

/** `look` finds secrets that were stored since; it is asked before anything from outside is let in. */
export function createHide(hiding: Hiding, look: () => void = () => {}) {
  const text = (given: string): string => hiding.redact(given);
  const value = <T>(given: T): T => (holdsSecret(given) ? (redactValue(hiding, given) as T) : given);
  const maybe = <T extends string | null | undefined>(given: T): T => (given ? (text(given) as T) : given);

  let lastStable = { given: '', known: -1, shown: '' };

  const block = (given: Block): Block => {
    if (given.type !== 'toolCall') {
      const shown = text(given.text);
      return shown === given.text ? given : { ...given, text: shown };
    }
    const shown = value(given.arguments);
    return shown === given.arguments ? given : { ...given, arguments: shown };
  };
  const holdsSecret = (given: unknown): boolean => hiding.find(JSON.stringify(given) ?? '').length > 0;

  return {
    text,
    value,
    blocks: (given: readonly Block[]): readonly Block[] => given.map(block),
    /** of a transcript from before a secret was known */
    message(given: StoredMessage): StoredMessage {
      const blocks = given.blocks.map(block);
      return blocks.every((one, index) => one === given.blocks[index]) ? given : { ...given, blocks };
    },
    record: (given: SessionRecord): SessionRecord => ({
      ...given,
      label: maybe(given.label),
      title: text(given.title),
      preview: text(given.preview),
    }),
    end: (given: TurnEnd): TurnEnd =>
      given.error === undefined ? given : { ...given, text: text(given.text), error: value(given.error) },

    inbound(given: InboundMessage): InboundMessage {
      look();
      const { quoted, attachments, chatTitle } = given;
      return {
        ...given,
        text: text(given.text),
        ...(quoted ? { quoted: { ...quoted, text: text(quoted.text) } } : {}),
        ...(attachments ? { attachments: attachments.map((one) => ({ ...one, name: text(one.name) })) } : {}),
        ...(chatTitle === undefined ? {} : { chatTitle: text(chatTitle) }),
      };
    },
    /** Names are kept for good and shown everywhere; one that was changed would be the name of something else. */
    refuseInNames(...names: readonly string[]): void {
      if (names.every((name) => hiding.find(name).length === 0)) return;
      throw new HardshellError({
        code: 'SECRET_IN_NAME',
        message: 'the name of the session or of the message holds a secret',
        fix: 'choose another name',
      });
    },

    toolResult<T extends { readonly text: string }>(result: T): T {
      look();
      const shown = text(result.text);
      return shown === result.text ? result : { ...result, text: shown + NOTE };
    },

    /** The same models: what they are shown and what they say passes through here, and headers with keys do not. */
    models: (models: Models): Models => ({
      list: () => models.list(),
      get primary() {
        return models.primary;
      },
      stream: (request, signal) => said(models.stream(shownTo(request), signal)),
    }),
  };

  function shownTo(request: ModelRequest): ModelRequest {
    const { stable, volatile } = request.system;
    // The same in every turn, as its name says, and long.
    const known = hiding.knownValues();
    if (stable !== lastStable.given || known !== lastStable.known)
      lastStable = { given: stable, known, shown: text(stable) };
    return { ...request, system: { stable: lastStable.shown, volatile: text(volatile) } };
  }

  async function* said(events: AsyncIterable<ModelEvent>): AsyncGenerator<ModelEvent> {
    const stream = createStreamRedactor(hiding);
    for await (const event of events) {
      if (event.type === 'text') {
        const delta = stream.push(event.delta);
        if (delta !== '') yield { type: 'text', delta };
        continue;
      }
      // Text that was held back is said before whatever comes after it.
      const rest = event.type === 'start' ? '' : stream.end();
      if (rest !== '') yield { type: 'text', delta: rest };
      if (event.type === 'toolCall') yield { type: 'toolCall', call: callOf(event.call) };
      else yield event;
    }
  }

  function callOf(call: ModelToolCall): ModelToolCall {
    const shown = value(call);
    return shown === call ? call : { ...shown, withheld: true };
  }
}
