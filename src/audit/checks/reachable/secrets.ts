// Owns the checks of what opens a door: the gateway's token and password, and the token of webhooks: is it an example, can
// it be guessed, is it long enough. The value itself is never repeated.
import type { Config } from '../../../config/schema.ts';
import { problemAt, problemOfFolder, secretPath, tryReadSecret } from '../../../secrets/files.ts';
import { TOKEN_VARIABLES } from '../../../secrets/gateway-token.ts';
import { placeholderIn, weaknessOf } from '../../../secrets/strength.ts';
import type { Check, Facts, Finding } from '../../check.ts';
import { found } from '../../looking.ts';
import { advise } from '../../mend.ts';
import { overIn, saidOf, told, whenSaid } from '../over.ts';

const over = overIn('Reachable from outside');
const MIN_TOKEN_CHARS = 24;
const MIN_PASSWORD_CHARS = 16;
const MIN_HOOK_CHARS = 32;

type Held = { readonly where: string; readonly value: string; readonly mend: Pick<Finding, 'fix' | 'where'> };

/** The token in force, wherever it comes from. */
function tokenOf({ gateway }: Config, facts: Facts): Held | null {
  if (gateway.auth.mode !== 'token') return null;
  for (const name of TOKEN_VARIABLES) {
    const value = facts.env[name];
    if (value) return { where: name, value, mend: { where: name, fix: `export ${name}="$(openssl rand -hex 32)"` } };
  }
  const { token } = gateway.auth;
  if (typeof token === 'string')
    return { where: 'gateway.auth.token', value: token, mend: advise(facts, { 'gateway.auth.token': null }) };
  const path = secretPath(facts.paths.credentialsDir, 'gateway-token');
  // A read would mend the folder on the way.
  if (problemOfFolder(facts.paths.credentialsDir) !== null || problemAt(path) !== null) return null;
  try {
    const value = tryReadSecret(facts.paths.credentialsDir, 'gateway-token');
    return value === null ? null : { where: path, value, mend: { where: path, fix: 'openclaw token rotate' } };
  } catch {
    // What is no text is no token; the checks of files say so.
    return null;
  }
}

function passwordOf({ gateway }: Config, facts: Facts): Held | null {
  const fromEnv = facts.env['OPENCLAW_GATEWAY_PASSWORD'];
  const value = fromEnv || gateway.auth.password;
  if (typeof value !== 'string') return null;
  const where = fromEnv ? 'OPENCLAW_GATEWAY_PASSWORD' : 'gateway.auth.password';
  const fix = fromEnv
    ? `export ${where}="$(openssl rand -base64 24)"`
    : advise(facts, { 'gateway.auth.password': null, 'gateway.auth.mode': 'token' }).fix;
  return { where, value, mend: { where, fix } };
}

/** A secret of its own, in a file, with a reference to it: its value stands in no command. */
const NEW_HOOK_TOKEN = `openssl rand -hex 32 | openclaw secrets set hooks-token && openclaw config set hooks.token '{"source":"file","id":"hooks-token"}'`;

function hookTokenOf({ hooks }: Config): Held | null {
  if (!hooks.enabled || typeof hooks.token !== 'string') return null;
  return { where: 'hooks.token', value: hooks.token, mend: { where: 'hooks.token', fix: NEW_HOOK_TOKEN } };
}

type Fault = 'placeholder' | 'guessable' | 'short';

/** The worst of what is wrong with it, so that each secret is blamed once. */
function faultOf(value: string, minChars: number): { readonly fault: Fault; readonly why: string } | null {
  const example = placeholderIn(value);
  if (example) return { fault: 'placeholder', why: example.why };
  const weakness = weaknessOf(value);
  if (weakness) return { fault: 'guessable', why: weakness.why };
  if (value.length >= minChars) return null;
  return { fault: 'short', why: `has ${value.length} characters, fewer than ${minChars}` };
}

const FAULTS = {
  placeholder: {
    suffix: 'placeholder_value',
    title: 'no example out of a guide',
    severity: 'CRITICAL',
    why: 'everybody who read the guide knows it',
    pass: 'no example',
  },
  guessable: {
    suffix: 'guessable',
    title: 'hard to guess',
    severity: 'CRITICAL',
    why: 'words, dates, rows of keys and repetitions are tried first, however long',
    pass: 'hard to guess',
  },
  short: {
    suffix: 'too_short',
    title: 'long enough',
    severity: 'WARNING',
    why: 'a short one can be tried out by whoever gets at a copy of what it protects',
    pass: 'long enough',
  },
} as const;

function strength(
  what: { readonly id: string; readonly name: string; readonly rows: readonly string[]; readonly minChars: number },
  find: (settings: Config, facts: Facts) => Held | null,
): Check[] {
  return (Object.keys(FAULTS) as Fault[]).map((fault) => {
    const { suffix, title, severity, why, pass } = FAULTS[fault];
    return over(`${what.id}_${suffix}`, `Is the ${what.name} ${title}?`, {
      why,
      rows: what.rows,
      ...(fault === 'guessable' && what.id === 'gateway.token' ? { isMain: true } : {}),
      pass: (settings, facts) => {
        const held = find(settings, facts);
        return held === null ? `There is no ${what.name} yet` : `The ${what.name} is ${pass}`;
      },
      *look(settings, facts) {
        const held = find(settings, facts);
        const wrong = held && faultOf(held.value, what.minChars);
        if (held && wrong?.fault === fault) yield found(severity, `${held.where} ${wrong.why}`, held.mend);
      },
    });
  });
}

export const SECRET_CHECKS: readonly Check[] = [
  ...strength(
    {
      id: 'gateway.token',
      name: 'gateway token',
      rows: ['S099', 'S100', 'S101', 'S142', 'S149', 'S282'],
      minChars: MIN_TOKEN_CHARS,
    },
    tokenOf,
  ),
  ...strength(
    { id: 'gateway.password', name: 'gateway password', rows: ['S101', 'S209'], minChars: MIN_PASSWORD_CHARS },
    passwordOf,
  ),
  over('gateway.password_missing', 'Is there a password where one is asked for?', {
    why: 'the gateway does not start without it',
    pass: 'The password is there where it is asked for',
    look: whenSaid(['password-missing'], { wanted: () => ({ 'gateway.auth.mode': 'token' }) }),
  }),
  over('gateway.env_token_overrides_config', 'Is the token in the configuration the one that counts?', {
    why: 'whoever changes the one in the file believes the door to be closed, and it stays open for the other',
    rows: ['S120'],
    pass: 'One token counts, and it is the only one',
    *look({ gateway }, facts) {
      const name = TOKEN_VARIABLES.find((one) => facts.env[one]);
      const { token } = gateway.auth;
      if (name !== undefined && typeof token === 'string' && token !== facts.env[name])
        yield found(
          'WARNING',
          `${name} counts, and gateway.auth.token, which differs, does not`,
          advise(facts, { 'gateway.auth.token': null }),
        );
    },
  }),
  ...strength({ id: 'hooks.token', name: 'token of webhooks', rows: [], minChars: MIN_HOOK_CHARS }, hookTokenOf),
  over('hooks.token_reuse_gateway_token', 'Have webhooks a token of their own?', {
    why: 'whoever is given it to call a webhook has the whole gateway with it',
    rows: ['S274'],
    pass: 'Webhooks are off, or have a token of their own',
    look: (_, facts) =>
      told(facts, saidOf(facts, ['hooks-token-reused', 'hooks-token-missing']), ({ key }) => ({
        where: key,
        fix: NEW_HOOK_TOKEN,
      })),
  }),
];
