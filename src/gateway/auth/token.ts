// Owns the comparison of the shared token. Time must not depend on how much of a guess is right, and an empty or
// missing token on our side must never match anything.
import { createHash, timingSafeEqual } from 'node:crypto';

export type TokenMatcher = (offered: string | undefined) => boolean;

export function createTokenMatcher(
  current: () => string,
  isPrevious: (offered: string) => boolean = () => false,
): TokenMatcher {
  let known = '';
  let knownHash = digest('');
  return (offered) => {
    const token = current();
    if (token !== known) {
      known = token;
      knownHash = digest(token);
    }
    // Both are hashed, so that neither length nor a common beginning shows in the time.
    const same = timingSafeEqual(digest(offered ?? ''), knownHash);
    if (token === '' || offered === undefined) return false;
    return same || isPrevious(offered);
  };
}

const BEARER = /^Bearer +([\x21-\x7e]{1,4096}) *$/i;

/** The token of an Authorization header; undefined when there is none or it is of another kind. */
export const bearerOf = (header: string | undefined): string | undefined => BEARER.exec(header ?? '')?.[1];

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
