// Owns sending words to a chat. It hands them to the outbox and says when they leave; it never reaches a channel by itself.
import { z } from 'zod';
import { HardshellError } from '../platform/errors.ts';
import { label } from '../store/label.ts';
import type { Tool } from './tool.ts';

const MAX_CHARS = 20_000;

const parameters = z.strictObject({
  to: z.string().max(200).optional().describe('such as telegram:123456; left out: this chat'),
  text: z.string().min(1).max(MAX_CHARS),
});

export const messageTool: Tool<z.infer<typeof parameters>> = {
  name: 'message',
  description: 'Send a message to a chat. Your answer reaches this chat by itself.',
  parameters,
  roles: { effect: 'message', args: { to: 'target', text: 'payload' }, result: 'own' },
  effects: ({ to = '', text }) => [{ kind: 'message', to: chatOf(to), text }],
  async run(call, { to = '', text }, env) {
    const { ids, leavesAtMs } = env.send(call, chatOf(to), text);
    const when =
      leavesAtMs === 0 ? 'on its way' : `leaves at ${new Date(leavesAtMs).toISOString()}, if nobody stops it`;
    return { text: `Message ${ids.join(', ')}: ${when}.`, isError: false, label: label('tool-local', 'owner') };
  },
};

/** `telegram:123` and `telegram:work:123` as channel:account:chat; '' stays. An id may have colons of its own. */
function chatOf(to: string): string {
  if (to === '') return '';
  const [channel = '', first = '', ...rest] = to.trim().split(':');
  if (!/^[a-z]+$/.test(channel) || first === '' || rest.includes('')) throw noChat(to);
  return rest.length === 0 ? `${channel}:default:${first}` : [channel, first, ...rest].join(':');
}

function noChat(to: string): HardshellError {
  return new HardshellError({
    code: 'NO_SUCH_CHAT',
    message: `${JSON.stringify(to.slice(0, 80))} names no chat`,
    fix: 'write channel:chat, such as telegram:123456',
  });
}
