// Owns sending words and files to a chat, and changing what was sent. It hands them to the outbox, or names the message that
// it means; it never reaches a channel by itself.
import { z } from 'zod';
import { HardshellError } from '../platform/errors.ts';
import { join, label } from '../store/label.ts';
import { filePath } from './paths.ts';
import type { Attached, Tool, ToolEnv } from './tool.ts';

const MAX_CHARS = 20_000;
const MAX_FILES = 10;
const MAX_FILES_BYTES = 20_000_000;
const MAX_EMOJI_CHARS = 40;

const parameters = z
  .strictObject({
    action: z.enum(['send', 'react', 'edit', 'delete']).optional(),
    to: z.string().optional().describe('telegram:123456; left out: this chat'),
    text: z.string().optional(),
    files: z.array(z.string()).optional(),
    id: z.int().optional().describe('of your message'),
  })
  .superRefine(({ action = 'send', to = '', text, files = [], id }, context) => {
    const say = (path: string, message: string): unknown => context.addIssue({ code: 'custom', path: [path], message });
    // Limits stand here and not in the schema, which is paid for on every turn.
    if (to.length > 200) say('to', 'it is too long');
    if (text !== undefined && (text === '' || text.length > MAX_CHARS)) say('text', `1 to ${MAX_CHARS} characters`);
    if (files.length > MAX_FILES) say('files', `at most ${MAX_FILES}`);
    if (action !== 'delete' && text === undefined && (action !== 'send' || files.length === 0))
      say('text', `${action} needs it`);
    if ((action === 'edit' || action === 'delete') && id === undefined) say('id', `${action} needs it`);
    if (action === 'send' && id !== undefined) say('id', 'only a message that was sent has one');
    if (action !== 'send' && files.length > 0) say('files', 'they go with a new message');
    if (action === 'react' && (text ?? '').length > MAX_EMOJI_CHARS) say('text', 'it is the emoji');
  });

export const messageTool: Tool<z.infer<typeof parameters>> = {
  name: 'message',
  description: 'Message a chat, or change yours. Your answer reaches this chat by itself.',
  parameters,
  roles: {
    effect: 'message',
    args: { action: 'payload', to: 'target', text: 'payload', files: 'object', id: 'object' },
    result: 'own',
  },
  effects: ({ action = 'send', to = '', text = '', files = [] }) => [
    { kind: 'message', to: chatOf(to), text: action === 'delete' ? '' : text },
    ...files.map((path) => ({ kind: 'read', path: filePath(path) }) as const),
  ],
  async run(call, { action = 'send', to = '', text = '', files = [], id = null }, env) {
    const own = label('tool-local', 'owner');
    if (action !== 'send') {
      await env.change(call, { action, to: chatOf(to), id, text }, env.signal);
      return { text: DONE[action], isError: false, label: own };
    }
    const attached = await open(files, env);
    const context = files.reduce((all, path) => join(all, label('untrusted', 'owner', `file:${path}`)), call.context);
    const { ids, leavesAtMs } = env.send(call, { to: chatOf(to), text, files: attached, label: context });
    const when =
      leavesAtMs === 0 ? 'on its way' : `leaves at ${new Date(leavesAtMs).toISOString()}, if nobody stops it`;
    return { text: `Message ${ids.join(', ')}: ${when}.`, isError: false, label: own };
  },
};

const DONE = { react: 'Done.', edit: 'The message reads so now.', delete: 'The message is gone.' } as const;

/** Their bytes as they are now: a change of the file after this is no change of what leaves. */
async function open(paths: readonly string[], { files }: ToolEnv): Promise<Attached[]> {
  const found: Attached[] = [];
  let left = MAX_FILES_BYTES;
  for (const path of paths) {
    const { root, name } = await files.at(filePath(path), 'read');
    const bytes = await root.read(name, left);
    left -= bytes.length;
    found.push({ name: plainName(path), bytes });
  }
  return found;
}

/** The last part of the path, in letters that can disguise nothing and lead nowhere. */
const plainName = (path: string): string =>
  (path.split('/').at(-1) ?? '')
    .replace(/[^\p{L}\p{N} ._()+@-]/gu, '_')
    .replace(/^[.\s]+/, '_')
    .slice(-100) || 'file';

/** `telegram:123` and `telegram:work:123` as channel:account:chat; '' stays. An id may have colons of its own. */
function chatOf(to: string): string {
  if (to === '') return '';
  const [channel = '', first = '', ...rest] = to.trim().split(':');
  if (!/^[a-z]+$/.test(channel) || first === '' || rest.includes('')) throw noChat(to);
  if (channel === 'mail')
    throw new HardshellError({
      code: 'NO_SUCH_CHAT',
      message: 'mail is not sent as a message',
      fix: 'use the mail tool, or leave `to` out to answer the mail of this chat',
    });
  return rest.length === 0 ? `${channel}:default:${first}` : [channel, first, ...rest].join(':');
}

function noChat(to: string): HardshellError {
  return new HardshellError({
    code: 'NO_SUCH_CHAT',
    message: `${JSON.stringify(to.slice(0, 80))} names no chat`,
    fix: 'write channel:chat, such as telegram:123456',
  });
}
