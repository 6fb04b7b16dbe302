// Owns the rules of powers: what the assistant may run, who may command it, and what wakes it.
import type { Finding } from '../findings.ts';
import { runsAnything } from '../interpreters.ts';
import { readPattern } from '../pattern/pattern.ts';
import { CHANNEL_NAMES } from '../schema/channels.ts';
import { personOf } from '../shape/people.ts';
import { type Rule, risky, wrong } from './rule.ts';

const SECRET_NAME = /(TOKEN|SECRET|PASSWORD|API_?KEY|PRIVATE_KEY)$/;

export const powers: Rule = function* (config, context) {
  yield* commands(config);
  yield* strangers(config);
  yield* patterns(config);
  for (const [name, value] of Object.entries(config.env.vars)) {
    // What came from outside under another name is written nowhere.
    const outside = Object.entries(context.env).some(([other, known]) => other !== name && known === value);
    if (SECRET_NAME.test(name) && value !== '' && !outside) {
      yield risky(
        'secret-in-vars',
        `env.vars.${name}`,
        `env.vars.${name} looks like a secret written into the configuration`,
        `openclaw secrets set ${name.toLowerCase()}, and remove it here`,
      );
    }
  }
};

function* commands({ tools, browser, agents }: Parameters<Rule>[0]): Generator<Finding> {
  const { exec, elevated } = tools;
  if (exec.mode === 'full')
    yield risky(
      'exec-full',
      'tools.exec.mode',
      'tools.exec.mode "full" runs any command in the box without a question',
      'use "ask", or "allowlist" with tools.exec.allow',
    );
  const { mode } = agents.defaults.sandbox;
  if (mode !== 'all' && ['ask', 'allowlist', 'full'].includes(exec.mode ?? ''))
    yield risky(
      'exec-on-host',
      'agents.defaults.sandbox.mode',
      `agents.defaults.sandbox.mode "${mode}" with tools.exec.mode "${exec.mode}" runs commands on this machine, with all that the account of the gateway may do`,
      'openclaw config set agents.defaults.sandbox.mode all',
    );
  for (const program of exec.allow) {
    const base = program.split('/').at(-1) ?? program;
    if (/[*?]/.test(program))
      yield wrong(
        'exec-pattern',
        'tools.exec.allow',
        `tools.exec.allow: "${program}" is a pattern`,
        'name programs one by one',
      );
    else if (runsAnything(base) && exec.mode !== 'full') {
      yield risky(
        'exec-interpreter',
        'tools.exec.allow',
        `tools.exec.allow: "${program}" can run any other program or code`,
        'leave it out, so that you are asked',
      );
    }
  }
  for (const program of exec.safeBins) {
    if (runsAnything(program)) {
      yield wrong(
        'safe-bin-interpreter',
        'tools.exec.safeBins',
        `tools.exec.safeBins: "${program}" is no filter, it can run anything`,
        'remove it',
      );
    }
  }
  if (elevated.enabled && elevated.allowFrom.includes('*')) {
    yield wrong(
      'elevated-anyone',
      'tools.elevated.allowFrom',
      'tools.elevated.allowFrom has "*", so anybody could leave the box',
      'list your own ids',
    );
  } else if (elevated.enabled && elevated.allowFrom.length === 0) {
    yield risky(
      'elevated-nobody',
      'tools.elevated.allowFrom',
      'tools.elevated is on, and allowFrom names nobody',
      'list your own ids, or remove tools.elevated',
    );
  }
  if (browser.enabled) {
    yield risky(
      'browser-on',
      'browser.enabled',
      'the assistant may use a browser',
      'turn on two-factor login (2FA) for your mail, bank, social and cloud accounts',
    );
  }
}

function* strangers({ pairing, commands: slash }: Parameters<Rule>[0]): Generator<Finding> {
  if (pairing.autoApprove && !pairing.dangerouslyAutoApproveStrangers) {
    yield wrong(
      'auto-approve',
      'pairing.autoApprove',
      'pairing.autoApprove lets every stranger in, and they spend your credits',
      'remove it; or add pairing.dangerouslyAutoApproveStrangers: true',
    );
  }
  if (slash.ownerAllowFrom.includes('*')) {
    yield wrong(
      'owner-anyone',
      'commands.ownerAllowFrom',
      'commands.ownerAllowFrom has "*", so everybody would be you',
      'list your own ids, such as telegram:123456',
    );
  }
  for (const key of ['ownerAllowFrom', 'allowFrom'] as const) {
    for (const entry of slash[key]) {
      const problem = entry === '*' ? null : whyNobody(entry);
      if (problem)
        yield risky(
          'nobody-listed',
          `commands.${key}`,
          `commands.${key}: "${entry}" ${problem}`,
          'write it like telegram:123456',
        );
    }
  }
}

/** An entry that can never match anybody: it has no channel, or is no id of that channel. */
function whyNobody(entry: string): string | null {
  const [name = '', ...rest] = entry.split(':');
  const channel = CHANNEL_NAMES.find((one) => one === name);
  if (!channel || rest.length === 0) return 'does not say of which channel it is, so it is nobody';
  const person = personOf(channel, rest.join(':'));
  return 'id' in person ? null : `${person.why}, so it is nobody`;
}

/** Only what is understood; each of them takes time in proportion to the text. */
function* patterns({ messages }: Parameters<Rule>[0]): Generator<Finding> {
  const key = 'messages.groupChat.mentionPatterns';
  for (const pattern of messages.groupChat.mentionPatterns) {
    const read = readPattern(pattern);
    if ('match' in read) continue;
    yield wrong(
      'pattern-risky',
      key,
      `${key}: "${pattern.slice(0, 40)}" ${read.problem}`,
      'write the word itself, such as "@openclaw"',
    );
  }
}
