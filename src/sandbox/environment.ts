// Owns the environment that a sandboxed command sees. It is built from nothing, so that no key of the gateway can be in
// it; it must never read the gateway's own environment.
import { HardshellError } from '../platform/errors.ts';

/** Also the environment of the programs that build the sandbox, so nothing here may steer a loader or a shell. */
export const BASE_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin',
  HOME: '/workspace',
  TMPDIR: '/tmp',
  LANG: 'C.UTF-8',
  TERM: 'dumb',
  USER: 'sandbox',
};

/** Names that steer nothing but the program that reads them. */
const SAFE_NAMES = new Set(
  `TZ LANG LANGUAGE TERM COLUMNS LINES NO_COLOR FORCE_COLOR CI DEBUG VERBOSE SEED PORT
  HOST NODE_ENV RUST_BACKTRACE RUST_LOG LOG_LEVEL SOURCE_DATE_EPOCH`.split(/\s+/),
);
const SAFE_PREFIX = /^(LC|MY|APP|TEST|INPUT)_[A-Z0-9_]{1,40}$/;

/**
 * Which names a caller may set: a list of what is harmless, since no list of what steers a loader, shell, interpreter or
 * tool is ever whole (LD_PRELOAD, BASH_ENV, NODE_OPTIONS, GIT_SSH_COMMAND, npm_config_*, …).
 */
export const isSafeEnvName = (name: string): boolean => SAFE_NAMES.has(name) || SAFE_PREFIX.test(name);

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** `NAME=value` lines for the init script, which exports them inside. */
export function exportsOf(extra: Readonly<Record<string, string>> | undefined): string[] {
  return Object.entries(extra ?? {}).map(([name, value]) => {
    if (!NAME.test(name) || value.includes('\0')) throw refused(name);
    return `${name}=${value}`;
  });
}

function refused(name: string): HardshellError {
  const message = `the environment variable ${JSON.stringify(name.slice(0, 64))} cannot be set`;
  return new HardshellError({ code: 'BAD_ENVIRONMENT', message, fix: 'use letters, digits and _ in its name' });
}
