// Owns where the keys of backups come from: a passphrase that somebody enters, a key of their own, or the one in
// credentials/. A passphrase is never a word of a command, and no key is printed.
import { join } from 'node:path';
import type { Paths } from '../../../config/paths.ts';
import type { Archive } from '../../../ops/backup/restore.ts';
import {
  checkRecipients,
  identitiesIn,
  newKey,
  type Opening,
  recipientOf,
  type Sealing,
} from '../../../ops/backup/seal.ts';
import { EXIT, HardshellError, misused } from '../../../platform/errors.ts';
import { tryReadText } from '../../../platform/files.ts';
import { MAX_SECRET_BYTES, tryReadSecret, writeSecret } from '../../../secrets/files.ts';
import type { Context } from '../../context.ts';
import { readHidden, readPassphrase } from '../../input.ts';

const KEY = 'backup-key';
const RECIPIENTS = 'backup-recipients';
const MAX_KEY_BYTES = 64 * 1024;

export const keyPathOf = ({ credentialsDir }: Paths): string => join(credentialsDir, KEY);

export type KeyFlags = { readonly identity?: string; readonly passphraseStdin?: boolean };
export type SealFlags = {
  readonly encrypt?: boolean;
  readonly recipient?: readonly string[];
  readonly passphraseStdin?: boolean;
};

/** null: not encrypted. */
export async function sealingFor({ out }: Context, flags: SealFlags, paths: Paths): Promise<Sealing | null> {
  if (flags.recipient) return { recipients: flags.recipient };
  if (!flags.encrypt && !flags.passphraseStdin) return null;
  const own = flags.passphraseStdin ? null : await ownRecipients(paths);
  if (own) return { recipients: own };
  if (!flags.passphraseStdin && out.streams.stdin.isTTY !== true) throw needsPassphrase();
  return { passphrase: await readPassphrase(out, 'a passphrase for the backup', MAX_SECRET_BYTES) };
}

/** Of the schedule: the key in credentials/, and whom else they are for. null: there is no key yet. */
export async function ownRecipients({ credentialsDir }: Paths): Promise<string[] | null> {
  const identity = tryReadSecret(credentialsDir, KEY);
  if (identity === null) return null;
  const others = (tryReadSecret(credentialsDir, RECIPIENTS) ?? '').split('\n').filter((line) => line !== '');
  return [await recipientOf(identity.trim()), ...others];
}

/** Makes the key of the schedule when there is none; true when it is new. */
export async function ensureKey({ credentialsDir }: Paths, others: readonly string[] | undefined): Promise<boolean> {
  await checkRecipients(others ?? []);
  const isNew = tryReadSecret(credentialsDir, KEY) === null;
  if (isNew) writeSecret(credentialsDir, KEY, (await newKey()).identity);
  if (others) writeSecret(credentialsDir, RECIPIENTS, others.join('\n'));
  return isNew;
}

export async function openingFor(
  { out }: Context,
  flags: KeyFlags,
  { credentialsDir }: Paths,
  { lock }: Archive,
): Promise<Opening> {
  if (lock === 'none') return { identities: [] };
  if (lock === 'passphrase') {
    if (!flags.passphraseStdin && out.streams.stdin.isTTY !== true) throw needsPassphrase();
    return { identities: [], passphrase: await readHidden(out, 'the passphrase of the backup', MAX_SECRET_BYTES) };
  }
  const text = flags.identity ? tryReadText(flags.identity, MAX_KEY_BYTES) : tryReadSecret(credentialsDir, KEY);
  const identities = identitiesIn(text ?? '');
  if (identities.length > 0) return { identities };
  throw new HardshellError({
    code: 'BACKUP_LOCKED',
    message: flags.identity
      ? `there is no key in ${flags.identity}`
      : 'this backup is encrypted, and its key is not here',
    fix: 'name the file with its key, as age-keygen writes it: --identity FILE',
    exitCode: EXIT.denied,
  });
}

const needsPassphrase = (): HardshellError =>
  misused(
    'NEEDS_PASSPHRASE',
    'it takes a passphrase, and there is nobody to ask',
    'pipe it in with --passphrase-stdin, or use --recipient age1…; openclaw backup schedule makes a key',
  );
