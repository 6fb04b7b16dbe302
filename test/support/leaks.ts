// Owns the search for secrets in whatever was said or written, in every form in which one turns up. It says the forms once
// more than the redactor does, so that one which the redactor forgets is one that the search still knows.
import { spellingsOf } from '../../src/log/spellings.ts';
import type { SecretSample } from './secret-samples.ts';

/** As it is, and as JSON, addresses, headers and dumps write it. */
export const formsOf = (value: string): string[] => [
  value,
  JSON.stringify(value).slice(1, -1),
  encodeURIComponent(value),
  Buffer.from(value).toString('hex'),
  Buffer.from(value).toString('base64'),
  Buffer.from(`user:${value}`).toString('base64'),
];

/** Of them, the part in which the secret is: the ends of base64 are of what stands beside it as well. */
const plainSpellings = (value: string): string[] => [
  ...formsOf(value).slice(0, 4),
  Buffer.from(value).toString('base64').slice(0, -4),
  Buffer.from(`user:${value}`).toString('base64').slice(8, -4),
];

/** The head of a webhook's address is no secret, and half of the address can be no more than that. */
const isPublic = (spelling: string): boolean =>
  /^https:\/\/(hooks\.slack\.com\/services\/T|discord\.com\/api\/webhooks\/)[A-Z0-9/]*$/.test(spelling);

/** `registered`: encoded and halved as well; a token that is known by its looks alone is known as it is alone. */
export function leakSearch(samples: readonly SecretSample[], registered = true): (text: string) => string[] {
  const spellings = samples.flatMap(({ kind, value }) =>
    [...new Set(registered ? [...plainSpellings(value), ...spellingsOf(value)] : plainSpellings(value).slice(0, 2))]
      .filter((spelling) => spelling.length >= 6 && !isPublic(spelling))
      .map((spelling) => ({ kind, spelling })),
  );
  return (text) =>
    spellings.filter(({ spelling }) => text.includes(spelling)).map(({ kind, spelling }) => `${kind}: ${spelling}`);
}
