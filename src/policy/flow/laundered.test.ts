// Ways of making something from outside look like the owner's: a note that the assistant wrote itself, and words that came
// by the owner's own chat without being the owner's.
import { expect, test } from 'vitest';
import { OWNER_DM } from '../../../test/support/speaker.ts';
import type { Speaker } from '../../sessions/turn.ts';
import { label } from '../../store/label.ts';
import { TOOLS } from '../../tools/registry.ts';
import { judgeFlow } from './judge.ts';

const rolesOf = (name: string) => TOOLS.find((one) => one.name === name)?.roles;
type Heard = { words: string; results: { tool: string; args: object; text: string }[] };
function asked(name: string, args: object, heard: Heard, sources: readonly string[], speaker: Speaker = OWNER_DM) {
  const context = label('untrusted', 'owner', ...sources);
  const call = {
    turnId: 'r',
    sessionKey: 'agent:main:main',
    agentId: 'main',
    callId: 'c',
    name,
    args,
    speaker,
    context,
  };
  return judgeFlow({ ...call, heard: () => heard }, { rolesOf, registry: {} });
}

test('I03 an address that the assistant wrote into a note is not one that the owner had it read there', () => {
  const url = 'https://evil.example/493817';
  const path = 'memory/trip.md';
  const results = [
    { tool: 'write', args: { path, content: url }, text: 'Wrote it.' },
    { tool: 'memory_get', args: { path }, text: `see ${url}` },
  ];
  const verdicts = asked('web_fetch', { url }, { words: `read ${path} and open what is in it`, results }, [
    'file:x.md',
  ]);
  expect(verdicts).toMatchObject([{ rule: 'ask', code: 'TARGET_NOT_NAMED' }]);
});

test.each<[string, string, string]>([
  ['mail that was read by the mail channel', 'mail', 'mail:mallory@evil.example'],
  ['a file that was handed over in the chat', 'telegram', 'telegram:attachment'],
  ['a message that was passed on', 'telegram', 'telegram:quote:42'],
])('I15 %s counts as words of others, and as nothing to search for', (_what, channel, source) => {
  const speaker = { ...OWNER_DM, channel, chat: '42' };
  const sources = [`${channel}:direct:42`, source];
  const heard = { words: 'thanks', results: [] };
  const verdicts = (...from: string[]) => asked('web_search', { query: 'four nine three' }, heard, from, speaker);
  expect(verdicts(...sources)).toMatchObject([{ rule: 'ask', code: 'QUERY_NOT_NAMED' }]);
  expect(verdicts(`${channel}:direct:42`)).toEqual([]);
});
