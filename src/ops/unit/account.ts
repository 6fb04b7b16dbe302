// Owns the account that a system unit runs as: found, or made without a login. It must never be root, and never the
// account of a person that it would have to change.
import { readFileSync } from 'node:fs';
import { HardshellError, misused } from '../../platform/errors.ts';
import { runProgram, systemProgram } from './control.ts';

export type Account = { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string };

/** What a person types when we do not. */
export const USERADD_LINES = [
  'useradd --create-home --shell /usr/sbin/nologin openclaw',
  'openclaw gateway install --system-user openclaw',
] as const;

export function checkAccountName(name: string): void {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(name) && name !== 'root') return;
  throw misused(
    'ACCOUNT_NAME',
    name === 'root' ? 'the gateway is never run as root by a unit' : `"${name}" cannot be the name of an account`,
    'use a name of its own, such as --system-user openclaw',
  );
}

export function findAccount(name: string, passwd = readFileSync('/etc/passwd', 'utf8')): Account | null {
  for (const line of passwd.split('\n')) {
    const [known, , uid, gid, , home] = line.split(':');
    if (known === name && home) return { name, uid: Number(uid), gid: Number(gid), home };
  }
  return null;
}

/** The account, made when it does not exist. */
export async function ensureAccount(name: string): Promise<Account> {
  checkAccountName(name);
  const found = findAccount(name) ?? (await make(name));
  if (found.uid !== 0) return found;
  throw misused(
    'ACCOUNT_IS_ROOT',
    `the account ${name} has all rights of root`,
    'use an account of its own, such as --system-user openclaw',
  );
}

async function make(name: string): Promise<Account> {
  const program = systemProgram('useradd');
  const answer =
    program === null ? null : await runProgram(program, ['--create-home', '--shell', '/usr/sbin/nologin', name]);
  const made = answer?.exitCode === 0 ? findAccount(name) : null;
  if (made) return made;
  throw new HardshellError({
    code: 'ACCOUNT_NOT_MADE',
    message: `the account ${name} could not be made: ${answer?.stderr.trim() || 'there is no useradd here'}`,
    fix: USERADD_LINES[0],
  });
}
