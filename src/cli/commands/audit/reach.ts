// Owns how a command reaches the record: by the gateway when it runs, else in the database as it lies there, read only.
// Both answer the same.
import { resolvePaths } from '../../../config/paths.ts';
import type { RecordDesk } from '../../../journal/desk.ts';
import { isThere } from '../../../platform/files.ts';
import { ask, hasGateway } from '../../connect/with-client.ts';
import type { Context } from '../../context.ts';
import type { TargetFlags } from '../../target.ts';

export async function withRecord<T>(
  context: Context,
  flags: TargetFlags,
  use: (desk: RecordDesk) => Promise<T>,
): Promise<T> {
  const paths = resolvePaths(context.env);
  if (hasGateway(flags, paths)) {
    const call = (name: string, params: object): Promise<never> =>
      ask(context, flags, 'operator.read', `audit.${name}`, params) as Promise<never>;
    return use({
      log: (query) => call('log', query),
      report: (span) => call('report', span),
      verify: (noted) => call('verify', noted === null ? {} : { noted }),
    });
  }
  return withRecordHere(context, use);
}

/** Beside a gateway that runs too, which hands out a part of the log at a time. */
export async function withRecordHere<T>(context: Context, use: (desk: RecordDesk) => Promise<T>): Promise<T> {
  const paths = resolvePaths(context.env);
  const { openRecord } = await import('../../../journal/desk.ts');
  const { headPathOf } = await import('../../../journal/head.ts');
  const headPath = headPathOf(paths.databasePath);
  const desk = { headPath, isLive: false, now: Date.now };
  // A state folder in which nothing has happened yet: only its head could tell that there was something.
  if (!isThere(paths.databasePath)) return use(openRecord({ ...desk, rows: NOTHING, hide: (value) => value }));
  const { createRedactor, redactValue } = await import('../../../log/redact.ts');
  const { addStoredSecrets } = await import('../../../secrets/stored.ts');
  const { readStore } = await import('../../../store/read-only.ts');
  const redactor = createRedactor();
  addStoredSecrets({ ...paths, env: context.env }, redactor.add);
  const hide = <V>(value: V): V => redactValue(redactor.sure, value) as V;
  return readStore(paths.databasePath, (rows) => use(openRecord({ ...desk, rows, hide })));
}

const none = { all: () => [], get: () => undefined, iterate: () => [].values() };
const NOTHING = { prepare: () => none as never };
