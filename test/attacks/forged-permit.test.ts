// A call that policy has not let through reaches nothing, whoever hands it in: the ways out ask for the permit themselves.
import { expect, test } from 'vitest';
import { createMcp } from '../../src/mcp/mcp.ts';
import { createOutward } from '../../src/outward/outward.ts';
import { decide, type PermittedCall } from '../../src/policy/decide.ts';
import { label } from '../../src/store/label.ts';
import { OWNER_DM } from '../support/speaker.ts';

const call = {
  ...{ turnId: 't', sessionKey: 's', agentId: 'main', callId: 'c', name: 'message', args: {}, speaker: OWNER_DM },
  context: label('owner', 'owner'),
};
const real = (): PermittedCall => {
  const decision = decide(call, [], []);
  if (decision.kind !== 'allow') throw new Error('not allowed');
  return decision.call;
};
const FORGED: readonly PermittedCall[] = [
  call as PermittedCall,
  { ...real() },
  structuredClone(real()),
  undefined as never,
];
const refused = expect.objectContaining({ code: 'NOT_PERMITTED' });
/** Whatever is touched behind a way out would be an error of another kind. */
const nothing = new Proxy({}, { get: (_target, name) => () => Promise.reject(new Error(`reached ${String(name)}`)) });

test('messages, mail and changes of them', async () => {
  const outward = createOutward(nothing as Parameters<typeof createOutward>[0]);
  const { signal } = new AbortController();
  for (const forged of FORGED) {
    const letter = { to: ['a@b.example'], subject: '', text: '', replyTo: '' };
    expect(() => outward.send(forged, { to: '', text: 'x', files: [], label: call.context })).toThrow(refused);
    expect(() => outward.mail(forged, 'default', letter, false)).toThrow(refused);
    await expect(outward.change(forged, { action: 'delete', to: '', id: 1, text: '' }, signal)).rejects.toEqual(
      refused,
    );
  }
});

test('tools of other programs', async () => {
  const mcp = createMcp(nothing as Parameters<typeof createMcp>[0]);
  for (const forged of FORGED)
    await expect(mcp.call(forged, {}, new AbortController().signal)).rejects.toEqual(refused);
});

test('a permit cannot be changed after it was made', () => {
  const permit = real() as { args: unknown };
  expect(() => {
    permit.args = { to: 'mallory' };
  }).toThrow(TypeError);
});
