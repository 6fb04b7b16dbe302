// Owns the rule that a secret is never what a guide printed in its place: an example, a mask, the name of a variable. It
// must never repeat the value.
import { placeholderIn } from '../../secrets/strength.ts';
import { isSecretKey, secretsIn } from '../secrets.ts';
import { type Rule, wrong } from './rule.ts';

/** Judged as a whole, with their strength, by the rules of the door and of the hooks. */
const ELSEWHERE = /^(gateway\.auth|hooks)\./;
/** Variables and headers by name: most of them are no secrets. */
const BY_NAME = /\.(env|headers)\.([^.]+)$/;

const MENDS: readonly (readonly [RegExp, string])[] = [
  [/^channels\.telegram\.botToken$/, 'remove it and set TELEGRAM_BOT_TOKEN, or write the real value'],
  [/^channels\.discord\.token$/, 'remove it and set DISCORD_BOT_TOKEN, or write the real value'],
  [/^channels\.slack\.botToken$/, 'remove it and set SLACK_BOT_TOKEN, or write the real value'],
  [/^channels\.slack\.appToken$/, 'remove it and set SLACK_APP_TOKEN, or write the real value'],
  [/^channels\.slack\.signingSecret$/, 'remove it and set SLACK_SIGNING_SECRET, or write the real value'],
  [/^models\.providers\.[^.]+\.apiKey$/, 'write the real key, or remove it and put the key into credentials/'],
];

export const placeholders: Rule = function* (config) {
  for (const { path, holder, key } of secretsIn(config)) {
    const value = holder[key];
    const named = BY_NAME.exec(path)?.[2];
    if (typeof value !== 'string' || ELSEWHERE.test(path) || (named !== undefined && !isSecretKey(named))) continue;
    const found = placeholderIn(value);
    if (!found) continue;
    const mend = MENDS.find(([pattern]) => pattern.test(path))?.[1] ?? 'write the real value';
    yield wrong(found.code, path, `${path} ${found.why}`, mend);
  }
};
