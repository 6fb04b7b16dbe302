// Owns what is said about a configuration: findings and mappings, and the one error that refuses it. It must never carry
// the value of a secret.
import { EXIT, HardshellError, misconfigured } from '../platform/errors.ts';

export type Finding = {
  /** error: it does not start. warning: it starts, and something has no effect or is risky. note: good to know */
  readonly level: 'error' | 'warning' | 'note';
  /** stable, kebab-case */
  readonly code: string;
  /** the setting, such as gateway.auth.token; empty for the file as a whole */
  readonly key: string;
  /** one line, may name the key */
  readonly message: string;
  /** the one thing to do */
  readonly fix: string;
};

/** A spelling that was understood: which key it was read as, and why. */
export type Mapping = { readonly from: string; readonly to: string; readonly note: string };

export const mappingLine = ({ from, to, note }: Mapping): string =>
  `${from === to ? from : `${from} is read as ${to}`}${note && (from === to ? `: ${note}` : ` (${note})`)}`;

export const findingLine = ({ level, message, fix }: Finding): string => `${level}: ${message}${fix && ` | ${fix}`}`;

export const errorsIn = (findings: readonly Finding[]): Finding[] => findings.filter(({ level }) => level === 'error');

/** The refusal of a configuration: the first error, and how many more there are. */
export function refusal(file: string, findings: readonly Finding[], cause?: unknown): HardshellError {
  const [first, ...more] = errorsIn(findings);
  const rest = more.length > 0 ? ` (and ${more.length} more; openclaw config validate lists them)` : '';
  return new HardshellError({
    code: 'CONFIG_INVALID',
    message: `the configuration ${file} is not usable: ${first?.message ?? 'it has a mistake'}${rest}`,
    fix: first?.fix || `edit ${file}; nothing was changed`,
    exitCode: EXIT.config,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The refusal of a change: the file is as good as it was, so it is not what is blamed. */
export function changeRefusal(findings: readonly Finding[]): HardshellError {
  const [first, ...more] = errorsIn(findings);
  const rest = more.length > 0 ? ` (and ${more.length} more)` : '';
  // What was refused is not in the file, so that nothing can be removed from it.
  const isNew = first !== undefined && first.fix === `remove ${first.key}`;
  return misconfigured(
    'CONFIG_INVALID',
    `nothing was written: ${first?.message ?? 'a mistake in the change'}${rest}`,
    isNew ? `leave ${first.key} out; openclaw config schema shows every key` : first?.fix || 'openclaw config schema',
  );
}

/** A refusal of the file itself, before anything in it could be read. */
export class SourceError extends Error {
  readonly code: string;
  readonly fix: string;
  constructor(code: string, message: string, fix = '') {
    super(message);
    this.name = 'SourceError';
    this.code = code;
    this.fix = fix;
  }
}

export const findingOf = (error: SourceError): Finding => ({
  level: 'error',
  code: error.code,
  key: '',
  message: error.message,
  fix: error.fix,
});
