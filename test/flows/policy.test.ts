// `openclaw policy` as people type it, without a gateway: who is asked about, what decides, the command that opens it, and a
// table of one's own expectations.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandResult, newHome, runCommand } from '../support/gateway.ts';

const CONFIG = {
  commands: { ownerAllowFrom: ['telegram:1'] },
  channels: {
    telegram: {
      botToken: '123456789:AAF-x7Q2pLmZw81',
      allowFrom: ['55'],
      groups: { '-100123': { allowFrom: ['42'] } },
    },
  },
  agents: { entries: { work: { tools: { deny: ['exec'] } } } },
  tools: {
    policies: {
      'telegram:-100123': { ls: 'deny' },
      group: { read: 'allow' },
      'sender:telegram:55': { message: 'ask' },
    },
  },
};

let home: string;
beforeAll(() => {
  home = newHome();
  mkdirSync(join(home, '.openclaw'), { recursive: true, mode: 0o700 });
  writeFileSync(join(home, '.openclaw', 'openclaw.json'), JSON.stringify(CONFIG), { mode: 0o600 });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const cli = (...args: string[]): Promise<CommandResult> => runCommand(['policy', ...args], { home });
type Said = { rule: string; layer: string; key: string; why: string };
type Answer = {
  decision: string;
  key: string;
  code: string;
  fix: string;
  standing: string;
  layers: Said[];
  notes: string[];
};
async function explained(...args: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await cli('explain', ...args, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return (JSON.parse(stdout) as { data: Answer }).data;
}
const inGroup = ['--channel', 'telegram', '--chat', '-100123'];

describe('policy explain', () => {
  test.each<[string, string[], Partial<Answer>]>([
    ['your own command', ['--tool', 'exec'], { decision: 'allow', standing: 'owner', key: '' }],
    ['a command in a group', ['--tool', 'exec', ...inGroup], { decision: 'deny', key: 'tools.policies.group.exec' }],
    [
      'a rule for one chat',
      ['--tool', 'ls', ...inGroup],
      { decision: 'deny', key: 'tools.policies.telegram:-100123.ls' },
    ],
    ['a member', ['--tool', 'read', ...inGroup, '--sender', '42'], { decision: 'allow', standing: 'member' }],
    [
      'a friend',
      ['--tool', 'read', '--channel', 'telegram', '--sender', '55'],
      { decision: 'deny', standing: 'paired', key: 'tools.policies.dm' },
    ],
    [
      'a rule for one sender',
      ['--tool', 'message', '--channel', 'telegram', '--sender', '55'],
      { decision: 'ask', key: 'tools.policies.sender:telegram:55.message' },
    ],
    [
      'you by your id',
      ['--tool', 'exec', '--channel', 'telegram', '--sender', '1'],
      { decision: 'allow', standing: 'owner' },
    ],
    ['an agent', ['--tool', 'exec', '--agent', 'work'], { decision: 'deny', key: 'agents.entries.work.tools.deny' }],
    ['what steers', ['--tool', 'write', '--path', 'SOUL.md'], { decision: 'ask', code: 'STEERING_FILE' }],
    [
      'a room of a server',
      ['--tool', 'exec', '--channel', 'discord', '--chat', '123456789012345678'],
      { decision: 'deny', key: 'tools.policies.channel.exec' },
    ],
    ['another name', ['--tool', 'bash'], { decision: 'allow' }],
  ])('%s', async (_name, args, expected) => {
    expect(await explained(...args)).toMatchObject(expected);
  });

  test('S016 a stranger never reaches the model, and the setting that keeps them out is named', async () => {
    const answer = await explained('--tool', 'read', '--channel', 'telegram', '--sender', '77');
    expect(answer).toMatchObject({
      decision: 'deny',
      standing: 'stranger',
      code: 'DM_NOT_PAIRED',
      key: 'channels.telegram.dmPolicy',
    });
    expect(answer.notes).toEqual([expect.stringContaining('never reaches the model')]);
    // What would hold if they were heard is said all the same.
    expect(answer.layers[0]).toMatchObject({ layer: 'access', rule: 'deny', key: answer.key });
    expect(answer.layers.length).toBeGreaterThan(4);
    expect(answer.fix).toBe('openclaw pairing approve telegram:77');
  });

  test('a person reads the decision, the setting, the command that opens it, and every layer', async () => {
    const { code, stdout } = await cli('explain', '--tool', 'exec', ...inGroup, '--sender', '42');
    expect(code).toBe(0);
    for (const line of [
      /^deny {2}exec, for telegram:42 \(member\), in the group telegram:-100123$/m,
      /^to open {2}openclaw config set tools\.policies\.group\.exec allow$/m,
      /^profile +deny +tools\.policies\.group /m,
      /^context +deny +tools\.policies\.group\.exec /m,
      /^chat +allow +tools\.policies\.telegram:-100123 /m,
      /^sandbox +allow /m,
    ])
      expect(stdout).toMatch(line);
  });

  test('the command that it names opens it', async () => {
    const { fix } = await explained('--tool', 'exec', '--agent', 'work');
    const [, ...words] = fix.split(' ').map((word) => word.replace(/^'|'$/g, ''));
    expect(await runCommand([...words, '--yes'], { home })).toMatchObject({ code: 0 });
    expect(await explained('--tool', 'exec', '--agent', 'work')).toMatchObject({ decision: 'allow' });
  });

  test.each([
    [['--tool', 'wirte'], 'did you mean write?'],
    [['--tool', 'group:fs'], 'group of tools'],
    [['--tool', 'exec', '--channel', 'telegramm'], 'did you mean telegram?'],
    [['--tool', 'exec', '--sender', '42'], 'add --channel'],
    [['--tool', 'exec', '--channel', 'telegram', '--sender', '@bea'], 'can be changed or taken over'],
    [['--tool', 'exec', '--agent', 'nobody'], 'there is no agent'],
    [['--tool', 'exec', '--path', 'a'], 'exec takes no path'],
    [['--tool', 'exec', '--channel', 'telegram', '--place', 'moon'], 'one of dm, group, channel'],
    [[], '--tool'],
  ])('%j is answered in one line, exit 64', async (args, said) => {
    const { code, stdout, stderr } = await cli('explain', ...args);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/^error: [^\n]+\nfix: [^\n]+\n$/);
    expect(stderr).toContain(said);
  });
});

describe('policy test', () => {
  const put = (text: string): string => {
    const file = join(home, 'expectations.json5');
    writeFileSync(file, text);
    return file;
  };

  test('exit 0 when all is as expected, with a line for each', async () => {
    const { code, stdout } = await cli(
      'test',
      put(`[
      { tool: 'exec', expect: 'allow' }, // mine
      { tool: 'exec', channel: 'telegram', chat: -100123, sender: 1, expect: 'deny', key: 'tools.policies.group.exec' },
      { tool: 'read', channel: 'telegram', sender: '77', expect: 'deny', name: 'strangers' },
    ]`),
    );
    expect(code).toBe(0);
    expect(stdout).toContain('good  2  exec in telegram:-100123 by 1: deny by tools.policies.group.exec');
    expect(stdout).toContain('3 as expected, 0 not');
  });

  test('exit 1 when one is not, with what each layer said, and as JSON', async () => {
    const file = put(`[
      { tool: 'exec', channel: 'telegram', chat: '-100123', sender: '1', expect: 'allow' },
      { tool: 'ls', channel: 'telegram', chat: '-100123', expect: 'deny', key: 'tools.deny' },
    ]`);
    const { code, stdout } = await cli('test', file);
    expect(code).toBe(1);
    expect(stdout).toContain('context says deny (tools.policies.group.exec)');
    expect(stdout).toContain('expected deny by tools.deny, and it is deny by tools.policies.telegram:-100123.ls');
    const json = JSON.parse((await cli('test', file, '--json')).stdout);
    expect(json.data).toMatchObject({
      good: 0,
      wrong: 2,
      results: [{ entry: 1, isRight: false, decision: 'deny' }, {}],
    });
  });

  test('an empty table is fine', async () => {
    expect(await cli('test', put('[]'))).toMatchObject({ code: 0, stdout: '0 as expected, 0 not\n' });
  });

  test.each([
    ['{ tool: "exec" }', 'it is no list'],
    ['[1]', 'entry 1 is no object'],
    ['[{ expect: "deny" }]', 'entry 1 names no tool'],
    ['[{ tool: "exec", expect: "no" }]', 'has no expect: allow, ask or deny'],
    ['[{ tool: "exec", expect: "deny", chanel: "telegram" }]', 'did you mean "channel"?'],
    ['[{ tool: "exec", expect: "deny", command: 7 }]', 'command, which is no text'],
    ['[{ tool: "exec", expect: "deny" }, { tool: "exce", expect: "deny" }]', 'entry 2: there is no tool "exce"'],
    ['[{ tool: ', 'line 1'],
    ['', 'no JSON5'],
  ])('%s is answered in one line, exit 64', async (text, said) => {
    const { code, stdout, stderr } = await cli('test', put(text));
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/^error: [^\n]+\nfix: [^\n]+\n$/);
    expect(stderr).toContain(said);
  });

  test('so is a file that is not there, or a folder', async () => {
    expect(await cli('test', join(home, 'nothing.json5'))).toMatchObject({ code: 64 });
    expect(await cli('test', home)).toMatchObject({ code: 64 });
  });
});
