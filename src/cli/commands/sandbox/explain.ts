// Owns `openclaw sandbox explain`: where the commands of one conversation would run and what they would see, each with the
// setting that says so and the command that changes it. It works without a gateway and changes nothing.
import { homedir } from 'node:os';
import { CHANNEL_NAMES, type ChannelName } from '../../../config/schema/channels.ts';
import type { Config } from '../../../config/schema.ts';
import { covers } from '../../../config/zones.ts';
import { HardshellError } from '../../../platform/errors.ts';
import { askingOf, rulesOf } from '../../../policy/judges.ts';
import { judgeFor } from '../../../policy/tool-policy.ts';
import { whyOff } from '../../../policy/web/judge.ts';
import { limitsOf } from '../../../sandbox/pool/facts.ts';
import { conversationOf, type Plan, planFor } from '../../../sandbox/pool/plan.ts';
import { privateFolder } from '../../../sandbox/pool/spec.ts';
import { createSandboxReach } from '../../../sandbox/reach.ts';
import { parseSessionKey } from '../../../sessions/key.ts';
import type { Speaker } from '../../../sessions/turn.ts';
import { TOOLS } from '../../../tools/registry.ts';
import type { Context } from '../../context.ts';
import { factLines } from '../../print/table.ts';
import { type Asked, openGround, questionOf } from '../policy/question.ts';
import { openLocal } from './local.ts';

type Options = Omit<Asked, 'tool'> & { readonly session?: string };
type Spoken = { readonly sessionKey: string; readonly agentId: string; readonly speaker: Speaker };

const BOX = 'agents.defaults.sandbox';

export async function run(context: Context, options: Options): Promise<undefined> {
  const { out } = context;
  const { paths } = openLocal(context.env);
  const ground = openGround(context);
  const { config } = ground;
  const spoken = spokenIn(options, () => questionOf(ground, { ...options, tool: 'exec' }).call);
  const { sessionKey, isOwners, ...more } = conversationOf(spoken);
  const plan = planFor(config, { sessionKey, isOwners, ...more });
  const [rules, asking] = [rulesOf(config), askingOf(config, spoken)];
  const tools = TOOLS.map(({ name }) => {
    const off = offBy(name, config);
    return { name, ...judgeFor(name, rules, asking), ...(off === undefined ? {} : { rule: 'off', key: off }) };
  });
  const workspace = config.agents.defaults.workspace ?? paths.workspaceDir;
  const folder = plan.access === 'none' ? privateFolder(paths.stateDir, plan.scopeKey) : workspace;
  const isPrivate = plan.access === 'none';
  const allowed = isPrivate ? [] : config.security.allowedPaths;
  const shown = isPrivate
    ? []
    : createSandboxReach(() => ground.zones, homedir())
        .binds()
        .map(({ target }) => target);
  const apart = isPrivate ? [] : ground.zones.allowed.filter(({ path }) => !shown.some((one) => covers(one, path)));
  out.data({
    session: sessionKey,
    ...plan,
    folder,
    allowedPaths: allowed,
    shownPaths: shown,
    tools,
    limits: limitsOf(plan, null),
  });
  const facts: [string, string][] = [
    ['conversation', `${sessionKey}, ${isOwners ? 'yours alone' : 'others take part'}`],
    ['commands', `${plan.isBoxed ? 'in a box' : 'outside a box: tools.exec'}   (${plan.because.mode}: ${plan.mode})`],
    ['box', `${plan.scopeKey}   (${plan.because.scope}: ${plan.scope})`],
    ['/workspace', `${folder}, ${ACCESS[plan.access]}   (${plan.because.access})`],
    ['further folders', [...plan.binds, ...shown].join(', ') || `none   (${BOX}.docker.binds, security.allowedPaths)`],
    ...apart.map(({ path }): [string, string] => ['not in the box', `${path}: file tools alone reach it`]),
    ['reads as empty', 'files of keys, such as .env, and security.deniedPaths'],
    ['network', `${networkOf(plan)}   (${BOX}.docker.network)`],
    ['backend', `${plan.backend}   (${BOX}.backend)`],
    ...tools.map(({ name, ...verdict }): [string, string] => [
      name,
      verdict.rule === 'allow' ? 'allow' : `${verdict.rule}   (${verdict.key})`,
    ]),
  ];
  for (const line of factLines(facts)) out.line(line);
  out.note(`to change one: openclaw config set KEY VALUE, such as: openclaw config set ${BOX}.workspaceAccess ro`);
}

/** The setting that leaves a tool without what it needs, whatever policy says of it. */
function offBy(name: string, config: Config): string | undefined {
  const isOn = (channel: ChannelName): boolean => config.channels[channel]?.enabled === true;
  if (name === 'message') return CHANNEL_NAMES.some(isOn) ? undefined : 'channels';
  if (name === 'mail') return isOn('mail') ? undefined : 'channels.mail';
  if (name.startsWith('memory_')) return config.memory.enabled ? undefined : 'memory.enabled';
  return whyOff(name, config)?.key;
}

const ACCESS = { none: 'a private folder', ro: 'to read', rw: 'to read and write' } as const;
const networkOf = (plan: Plan): string =>
  plan.network === 'none' ? 'none' : `HTTP and HTTPS to ${plan.hosts.join(', ') || 'no host yet'}`;

/** A key says whether others take part; who speaks in it is then one of them. */
function spokenIn({ session, channel, chat, sender }: Options, asked: () => Spoken): Spoken {
  if (session === undefined) return asked();
  if (channel !== undefined || chat !== undefined || sender !== undefined)
    throw new HardshellError({
      code: 'USAGE',
      message: 'a conversation is named by its key, or by channel, chat and sender',
      fix: 'leave one of them out',
      exitCode: 2,
    });
  const { key, agentId } = parseSessionKey(session);
  const isGroup = key.includes(':group:');
  const isOwners = !isGroup && !key.includes(':direct:');
  const principal = isOwners
    ? ({ kind: 'owner', id: 'owner', limits: null } as const)
    : ({ kind: 'member', id: 'somebody', limits: null } as const);
  const where = { channel: key.split(':')[2] ?? '', account: 'default', chat: '', sender: '' };
  return { sessionKey: key, agentId, speaker: { ...where, principal, place: isGroup ? 'group' : 'dm' } };
}
