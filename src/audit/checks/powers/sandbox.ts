// Owns the checks of the box that commands run in: whether there is one, who shares it, what of the host it sees, and how it
// could be made weaker. It looks at settings; whether the walls hold is tried by --deep.
import type { Config } from '../../../config/schema.ts';
import type { Check } from '../../check.ts';
import { found } from '../../looking.ts';
import { mend } from '../../mend.ts';
import { orUnset, overIn, saidOf, told, whenIs, whenSaid } from '../over.ts';

const over = overIn('What it can do');
const BOX = 'agents.defaults.sandbox';
const MAX_PIDS = 2_048;
const MAX_MEMORY_GB = 16;
/** Places that take anything from anybody and show it to whoever asks. */
const DROPS =
  /(^|\.)(pastebin\.com|paste\.rs|transfer\.sh|file\.io|0x0\.st|webhook\.site|requestbin\.\w+|pipedream\.net|ngrok(-free)?\.(io|app|dev)|trycloudflare\.com|interact\.sh|oast\.\w+|burpcollaborator\.net|discord\.com|discordapp\.com|hooks\.slack\.com|api\.telegram\.org)(:\d+)?$/i;

/** Commands that leave the box, or have none. */
export const runsOnHost = ({ agents, tools }: Config): boolean =>
  agents.defaults.sandbox.mode !== 'all' && ['ask', 'allowlist', 'full'].includes(tools.exec.mode ?? '');

function binds(id: string, title: string, why: string, codes: readonly string[]): Check {
  return over(id, title, {
    why,
    rows: ['S270', 'S292'],
    pass: ({ agents }) => {
      const count = agents.defaults.sandbox.docker.binds.length;
      return count === 0
        ? 'Box: nothing of the host but the workspace'
        : `Box: ${count} more folders, none of them risky`;
    },
    *look(settings, facts) {
      const key = `${BOX}.docker.binds`;
      const found = saidOf(facts, codes);
      const left = settings.agents.defaults.sandbox.docker.binds.filter(
        (bind) => !found.some((one) => blames(one, bind)),
      );
      yield* told(facts, found, () => mend(facts, { [key]: orUnset(left) }));
    },
  });
}

const blames = ({ message }: { readonly message: string }, bind: string): boolean =>
  [bind, ...bind.split(':').slice(0, 2)].some((part) => message.includes(`"${part}"`));

export const SANDBOX_CHECKS: readonly Check[] = [
  over('sandbox.mode_off', 'Do commands run in a box?', {
    why: 'a command that somebody talks it into has all that your account has: files, keys, network',
    rows: ['S003', 'S038', 'S040', 'S082', 'S159', 'S160', 'S163', 'S284'],
    isMain: true,
    pass: ({ agents }) =>
      agents.defaults.sandbox.mode === 'non-main'
        ? 'Sandbox: non-main (your own conversation runs no command outside it)'
        : `Sandbox: ${agents.defaults.sandbox.mode}`,
    *look(settings, facts) {
      const { mode } = settings.agents.defaults.sandbox;
      const fix = mend(facts, { [`${BOX}.mode`]: 'all' });
      const exec = settings.tools.exec.mode;
      if (runsOnHost(settings))
        yield found(
          exec === 'full' ? 'CRITICAL' : 'WARNING',
          `${BOX}.mode is "${mode}" and tools.exec.mode is "${exec}": commands run on this machine`,
          fix,
        );
      else if (mode === 'off')
        yield found('WARNING', `${BOX}.mode is "off"`, fix, {
          consequence: 'no command runs until you open that, and then it runs on this machine',
        });
    },
  }),
  over('sandbox.agent_looser', 'Has every agent a box that is as tight?', {
    why: 'the loosest box is the one that is used',
    rows: ['S003'],
    pass: 'Every agent has a box that is as tight',
    look: whenSaid(['box-looser']),
  }),
  over('sandbox.scope_shared', 'Has each agent a box of its own?', {
    why: 'what one conversation leaves in the box, the others find and run',
    rows: ['S041', 'S165'],
    pass: ({ agents }) => `Box for each ${agents.defaults.sandbox.scope}`,
    look: whenIs(`${BOX}.scope`, 'shared', 'WARNING'),
  }),
  over('sandbox.dangerous_network_mode', 'Has the box no network but what you allow?', {
    why: 'whatever it reads can be sent anywhere, and your own network is open to it',
    rows: ['S164', 'S270', 'S271'],
    isMain: true,
    pass: ({ agents }) => {
      const { docker, allowedHosts } = agents.defaults.sandbox;
      return `Sandbox network: ${docker.network === 'none' ? 'none' : `only ${allowedHosts.join(', ') || 'nothing yet'}`}`;
    },
    *look({ agents }, facts) {
      const key = `${BOX}.allowedHosts`;
      yield* told(facts, saidOf(facts, ['bad-value'], /sandbox\.docker\.network$|^sandbox\.network$/));
      const { docker, allowedHosts } = agents.defaults.sandbox;
      const drops = docker.network === 'allowlist' ? allowedHosts.filter((host) => DROPS.test(host)) : [];
      const left = allowedHosts.filter((host) => !DROPS.test(host));
      for (const host of drops)
        yield found(
          'WARNING',
          `${key} has ${host}, where anybody can leave and fetch anything`,
          mend(facts, {
            [key]: orUnset(left),
            ...(left.length > 0 ? {} : { [`${BOX}.docker.network`]: null }),
          }),
        );
    },
  }),
  binds(
    'sandbox.dangerous_bind_mount',
    'Does the box see nothing that holds keys or rules the machine?',
    'a command in the box reads your keys, or is the machine through the socket of Docker',
    ['bind-forbidden'],
  ),
  binds(
    'sandbox.bind_mount_non_absolute',
    'Does each folder of the box say from where to where?',
    'what is bound is not what you meant',
    ['bind-shape', 'bind-target'],
  ),
  binds(
    'sandbox.bind_mount_outside',
    'Does the box see only folders that the assistant may use anyway?',
    'commands reach what its own tools may not',
    ['bind-outside'],
  ),
  over('sandbox.weakened', 'Is nothing of the walls taken away?', {
    why: 'each of these is one wall less between a command and the machine',
    rows: ['S162', 'S219', 'S292'],
    pass: 'Box: no rights, root read-only, system calls filtered',
    look: whenSaid(['not-offered', 'unknown-key'], {
      key: /sandbox\.docker\.(capDrop|capAdd|readOnlyRoot|user|privileged|securityOpt|seccompProfile|apparmorProfile|extraHosts|dangerouslyAllow(Reserved|Container)\w+)$/,
    }),
  }),
  over('sandbox.limits_weak', 'Can a command not take the whole machine?', {
    why: 'one command that eats all memory or processes stops everything else on it',
    rows: ['S220', 'S221'],
    pass: ({ agents: { defaults } }) =>
      `Box: ${defaults.sandbox.docker.memory} of memory, ${defaults.sandbox.docker.pidsLimit} processes`,
    *look({ agents }, facts) {
      const { memory, pidsLimit } = agents.defaults.sandbox.docker;
      const weak: (readonly [string, string | number])[] = [];
      if (gigabytesOf(memory) > MAX_MEMORY_GB) weak.push(['memory', memory]);
      if (pidsLimit > MAX_PIDS) weak.push(['pidsLimit', pidsLimit]);
      for (const [name, value] of weak)
        yield found('WARNING', `${BOX}.docker.${name} is ${value}`, mend(facts, { [`${BOX}.docker.${name}`]: null }));
    },
  }),
];

function gigabytesOf(text: string): number {
  const size = Number.parseFloat(text);
  return /g$/i.test(text) ? size : /m$/i.test(text) ? size / 1_024 : size / 1024 ** 3;
}
