// Owns the settings of running it: secrets providers, backup, log, updates, variables, kept attachments.
import * as z from 'zod/mini';
import { choice, flag, group, maybeChoice, maybeText, maybeWhole, named, texts, whatever, whole } from './leaf.ts';

export const secrets = () =>
  group('Where references to secrets lead', {
    providers: named('Providers by name', {
      source: maybeChoice('env, a file, or a program that prints it', ['env', 'file', 'exec']),
      path: maybeText('For file: the file'),
      mode: maybeChoice('For file: one value, or JSON with many', ['singleValue', 'json']),
      command: maybeText('For exec: the program, as an absolute path'),
      args: texts('For exec: its arguments'),
      passEnv: texts('For exec: variables it gets'),
      allowlist: texts('For env: variables that may be named'),
      timeoutMs: maybeWhole('For exec: longest wait', { min: 100, max: 120_000 }),
    }),
    rotateAfterDays: whole('Age from which the audit asks for a new secret', 90, { min: 1, max: 3_650 }),
  });

export const backup = () =>
  group('Backups', {
    schedule: maybeText('When, as a cron line such as 0 3 * * *, in the time of this machine'),
    folder: maybeText('Where to; never inside the state folder. Otherwise beside it, with -backups at its name'),
    encrypt: flag('For the key in credentials/backup-key; without, no secret is in them', true),
    keep: whatever(
      'How many of the schedule are kept, or { count, maxBytes }; without, maxBytes is 10 GB',
      z._default(
        z.union([
          z.int().check(z.minimum(1), z.maximum(1_000)),
          z.strictObject({
            count: z._default(z.int().check(z.minimum(1), z.maximum(1_000)), 14),
            maxBytes: z._default(z.int().check(z.minimum(1_000_000)), 10_000_000_000),
          }),
        ]),
        14,
      ),
    ),
  });

export const logging = () =>
  group('The log in logs/; secrets never reach it', {
    level: choice('How much', 'info', ['debug', 'info', 'warn', 'error']),
    maxFileBytes: whole('Size at which a new file is begun', 10_000_000, { min: 10_000 }),
    maxFiles: whole('How many files are kept', 5, { min: 1, max: 100 }),
    maxAgeDays: whole('For how many days files are kept', 30, { min: 1, max: 3_650 }),
  });

export const update = () =>
  group('New versions', { checkOnStart: flag('Ask at a start whether there is one; nothing is installed', false) });

export const attachments = () =>
  group('Files people send', { ttlHours: whole('For how many hours they are kept', 168, { min: 1 }) });

export const env = () =>
  group('Variables', {
    vars: whatever(
      'For ${NAME} in this file and as if they were set outside; what is set outside wins. Not the place for secrets',
      z._default(z.record(z.string().check(z.regex(/^[A-Z_][A-Z0-9_]{0,127}$/)), z.string()), {}),
    ),
  });
