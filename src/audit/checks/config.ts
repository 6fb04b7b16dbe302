// Owns what the configuration says of itself that no other check has said: keys without meaning, values that do not fit, a
// file that cannot be read. It must never repeat the value of a secret.
import type { Finding as Said } from '../../config/findings.ts';
import { keysAt } from '../../config/schema/tree.ts';
import { nearest } from '../../config/shape/nearest.ts';
import { HardshellError, reasonOf } from '../../platform/errors.ts';
import { quoted } from '../../secrets/files.ts';
import { type Check, type Facts, type Finding, outcomeOf } from '../check.ts';
import { commandOf, pathIn, takeOut, valueAt } from '../mend.ts';

const WHY =
  'a gateway that runs keeps the settings from before, one that starts refuses to, and what you wrote protects nobody';

/** What only keeps something from working: `config validate` says it. */
export const HARMLESS: ReadonlySet<string> = new Set(['channel-without-token', 'allowed-missing']);

/** `told` are the settings that other checks have found something about. */
export function configCheck(told: ReadonlySet<string>): Check {
  return {
    id: 'config.invalid',
    group: 'What it can do',
    title: 'Is the configuration understood, all of it?',
    why: WHY,
    rows: ['S153', 'S188'],
    depth: 'read',
    isMain: true,
    probe(facts) {
      const left = facts.said.filter(
        ({ level, key, code }) => level !== 'note' && !HARMLESS.has(code) && (key === '' || !isTold(key, told)),
      );
      const unread = facts.inspection === null || facts.unreadable !== null ? [unreadable(facts)] : [];
      const name = facts.inspection?.exists ? 'valid' : 'none, so the safe defaults hold';
      return outcomeOf([...unread, ...left.map((one) => findingOf(one, facts))], `Configuration: ${name}`);
    },
  };
}

/** A finding about a list tells of its entries, one about an entry of its list. */
const isTold = (key: string, told: ReadonlySet<string>): boolean =>
  [...told].some((one) => one !== '' && (one === key || one.startsWith(`${key}.`) || key.startsWith(`${one}.`)));

function unreadable({ unreadable: cause, paths }: Facts): Finding {
  const said = cause instanceof HardshellError ? (cause.fix ?? '') : '';
  const fix = /^(chmod|chown|openclaw) /.test(said) ? said : `ls -la ${quoted(paths.stateDir)}`;
  return { severity: 'CRITICAL', evidence: reasonOf(cause), consequence: WHY, fix };
}

function findingOf({ level, key, message, fix, code }: Said, facts: Facts): Finding {
  const isError = level === 'error';
  return {
    severity: isError ? 'CRITICAL' : code === 'no-effect' ? 'INFO' : 'WARNING',
    evidence: key === '' ? `${facts.inspection?.path ?? facts.paths.configPath}: ${message}` : message,
    ...(isError ? {} : { consequence: 'a setting that does nothing, or more than it seems, is no protection' }),
    fix: commandFor(key, code, fix, facts),
    ...(key === '' ? {} : { where: key }),
  };
}

/** One command: a misspelt key takes its right name along, anything else that does not fit is taken out. */
function commandFor(key: string, code: string, fix: string, facts: Facts): string {
  const raw = facts.inspection?.raw;
  const path = pathIn(raw, key);
  if (path !== null && (code === 'unknown-key' || code === 'unknown-channel')) {
    const above = path.slice(0, -1);
    const meant = nearest(path.at(-1) ?? '', keysAt(above));
    const value = valueAt(raw, path);
    const isSecret = /token|secret|passw|key|env|headers/i.test([...path, meant].join(' '));
    if (meant !== undefined && !isSecret && isPlain(value) && valueAt(raw, [...above, meant]) === undefined)
      return commandOf([
        { path, value: null },
        { path: [...above, meant], value },
      ]);
  }
  if (TAKEN_OUT.has(code)) return takeOut(facts, key).fix;
  if (fix.startsWith('openclaw ')) return fix;
  if (key === '') return `\${EDITOR:-nano} ${quoted(facts.inspection?.path ?? facts.paths.configPath)}`;
  return `openclaw config schema ${key.split('.').slice(0, 12).join('.')}`;
}

const TAKEN_OUT = new Set([
  ...['unknown-key', 'unknown-channel', 'bad-value', 'not-offered', 'no-effect', 'needless-danger'],
  ...['box-host', 'box-memory', 'box-looser', 'pattern-risky', 'model-name', 'mcp-shape', 'provider-url'],
]);

/** Shown in a command for all to see: short, and nothing that could be a secret. */
const isPlain = (value: unknown): boolean =>
  typeof value === 'boolean' ||
  typeof value === 'number' ||
  (typeof value === 'string' && /^[a-z][a-z -]{0,23}$/i.test(value)) ||
  (Array.isArray(value) && value.every(isPlain));
