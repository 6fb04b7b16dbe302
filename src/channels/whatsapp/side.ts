// Owns the talk with the side process: every line that comes from it is checked, questions get their answers, and what it
// cannot do is an error of a known family. The side process is not trusted with anything but WhatsApp.
import * as z from 'zod/mini';
import { startSideProcess } from '../../platform/process/side.ts';

const PERSON = z.string().check(z.regex(/^(\+\d{5,20}|lid:\d{5,20})$/));
const text = (max: number) => z.string().check(z.maxLength(max));
const FAMILY = z.enum(['refused', 'network', 'bug']);

const ATTACHMENT = z.object({
  ref: text(2_000),
  kind: z.enum(['image', 'audio', 'video', 'file', 'sticker']),
  name: text(200),
  mimeType: text(100),
  sizeBytes: z.nullable(z.number()),
});

export const SIDE_MESSAGE = z.object({
  chat: text(100),
  chatType: z.enum(['direct', 'group']),
  messageId: text(200).check(z.minLength(1)),
  sender: PERSON,
  display: z.optional(text(100)),
  text: text(1_000_000),
  sentAtMs: z.number(),
  addressed: z.object({ mention: z.boolean(), replyToBot: z.boolean() }),
  quoted: z.optional(z.object({ senderId: z.nullable(PERSON), text: text(4_000) })),
  attachments: z.array(ATTACHMENT).check(z.maxLength(10)),
});

const LINE = z.discriminatedUnion('type', [
  z.object({ type: z.literal('qr'), text: text(1_000) }),
  z.object({ type: z.literal('open'), me: z.array(PERSON) }),
  z.object({ type: z.literal('message'), id: text(20), message: z.unknown() }),
  z.object({
    type: z.literal('group'),
    chat: text(100),
    title: text(200),
    change: z.enum(['joined', 'left']),
    by: z.nullable(PERSON),
  }),
  z.object({ type: z.literal('alive') }),
  z.object({ type: z.literal('closed'), family: FAMILY, reason: text(300), fix: text(300), code: z.number() }),
  z.object({ type: z.literal('done'), id: z.number(), messageId: z.optional(text(100)), data: z.optional(z.string()) }),
  z.object({
    type: z.literal('failed'),
    id: z.number(),
    state: z.enum(['unknown', 'retry', 'failed']),
    reason: text(300),
    afterMs: z.optional(z.number()),
  }),
  z.object({ type: z.literal('log'), level: z.enum(['warn', 'error']), text: text(300) }),
]);
type Line = z.infer<typeof LINE>;
export type Answer = Extract<Line, { type: 'done' | 'failed' }>;
export type SideEvent = Exclude<Line, Answer>;

/** A message of a million characters, each written as an escape, and what is around it. */
const MAX_LINE_CHARS = 7_000_000;
/** An attachment comes in base64; a line as long as that it may say only while one is asked for. */
const CHARS_PER_BYTE = 4 / 3;

export type Side = {
  tell(line: Record<string, unknown>): void;
  /** rejects when the process ends first, or the signal says so */
  ask(line: Record<string, unknown>, signal: AbortSignal): Promise<Answer>;
  stop(): void;
  readonly ended: Promise<{ readonly how: string; readonly complaint: string }>;
};

export function startSide(
  argv: readonly [string, ...string[]],
  cwd: string,
  onEvent: (event: SideEvent) => void,
): Side {
  const open = new Map<number, { readonly answer: (answer: Answer) => void; readonly maxBytes: number }>();
  let last = 0;
  const maxLineChars = (): number => {
    const asked = Math.max(0, ...open.values().map(({ maxBytes }) => maxBytes));
    return MAX_LINE_CHARS + Math.ceil(asked * CHARS_PER_BYTE);
  };
  const child = startSideProcess(argv, {
    cwd,
    env: { TZ: 'UTC', HOME: cwd, NODE_NO_WARNINGS: '1' },
    maxLineChars,
    onLine(textOfLine) {
      const line = LINE.parse(JSON.parse(textOfLine));
      if (line.type !== 'done' && line.type !== 'failed') return onEvent(line);
      open.get(line.id)?.answer(line);
      open.delete(line.id);
    },
  });
  return {
    tell: (line) => void child.write(JSON.stringify(line)),
    async ask(line, signal) {
      signal.throwIfAborted();
      last += 1;
      const id = last;
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const stopped = (): void => reject(signal.reason);
      signal.addEventListener('abort', stopped, { once: true });
      open.set(id, { answer: resolve, maxBytes: Number(line['maxBytes'] ?? 0) });
      void child.ended.then(({ how }) => reject(new Error(how)));
      if (!child.write(JSON.stringify({ ...line, id }))) reject(new Error('the side process is gone'));
      return await promise.finally(() => {
        open.delete(id);
        signal.removeEventListener('abort', stopped);
      });
    },
    stop: child.stop,
    ended: child.ended,
  };
}
