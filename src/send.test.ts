// The words that mean something in a chat of the owner's, when they are written on the page or in the terminal.
import { expect, test } from 'vitest';
import { createSend, type SendPorts } from './send.ts';

const refused = new Error('everything is stopped');
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
    await expect(say(words)).rejects.toBe(refused);
    expect(raised).toEqual(['cli: /panic']);
  },
);

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
