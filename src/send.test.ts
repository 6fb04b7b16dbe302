// The words that mean something in a chat of the owner's, when they are written on the page or in the terminal.
import { expect, test } from 'vitest';
import { toWireError } from './gateway/protocol/errors.ts';
import { HardshellError } from './platform/errors.ts';
import { createSend, type SendPorts } from './send.ts';

const refused = new HardshellError({ code: 'PANIC', message: 'everything is stopped', fix: 'lift', httpStatus: 503 });
function open() {
  const raised: string[] = [];
  const panic = {
    refusal: () => (raised.length > 0 ? refused : null),
    raise: (by: string, why: string) => raised.push(`${by}: ${why}`),
  };
  const ports = { panic, stopping: () => false, workspaceDir: '/w' } as unknown as SendPorts;
  const actor = { clientId: 'cli', deviceId: null };
  const send = createSend(ports);
  const say = (message: string) =>
    send({ message, sessionKey: 'agent:main:main', idempotencyKey: 'i', actor } as unknown as Parameters<
      typeof send
    >[0]);
  return { raised, say };
}

test.each(['/panic', ' /PANIC '])(
  '%j from the owner stops everything, and is not given to the model',
  async (words) => {
    const { raised, say } = open();
    await expect(say(words)).rejects.toMatchObject({ code: 'PANIC', message: refused.message, fix: 'lift' });
    expect(raised).toEqual(['cli: /panic']);
    await expect(say('hello')).rejects.toBe(refused);
  },
);

test('a page that said /panic is not told to say it again later: it would stop what was just lifted', async () => {
  const { say } = open();
  for (const _ of ['the first time', 'after an answer that was lost'])
    expect(toWireError(await say('/panic').catch((error: unknown) => error), () => {}).retryable).toBeUndefined();
});

test.each([
  ['/allowance 2/day', 'openclaw config set budget.daily.usd 2'],
  ['/allowance off', 'openclaw config unset budget.daily.usd'],
  ['/undo yes', 'openclaw undo'],
  ['/elevated on', 'openclaw elevated on'],
  ['/approve K7', 'openclaw approvals approve K7'],
  ['/deny K7', 'openclaw approvals deny K7'],
])('%s is not said to a model that cannot do it: the command stands there', async (words, fix) => {
  await expect(open().say(words)).rejects.toMatchObject({ code: 'COMMAND_ELSEWHERE', fix });
});
