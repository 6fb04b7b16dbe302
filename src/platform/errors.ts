// Owns the one error type that people see. It must never carry a secret: messages are printed and logged as they are.

/** Exit codes of the command line (sysexits where they exist). */
export const EXIT = { ok: 0, failure: 1, couldNotRun: 2, usage: 64, unreachable: 69, denied: 77, config: 78 } as const;

export type ErrorOptions = {
  /** stable, documented, UPPER_SNAKE */
  readonly code: string;
  /** what happened and why, one sentence, no trailing period needed */
  readonly message: string;
  /** the one thing to do about it: a command or an edit */
  readonly fix?: string;
  readonly exitCode?: number;
  /** how it is told to a client: 429, 503 and 507 mean that the same request may be sent again */
  readonly httpStatus?: number;
  readonly cause?: unknown;
};

/** A failure that a person can act on. Anything else that is thrown is our bug and is logged with its stack. */
export class HardshellError extends Error {
  readonly code: string;
  readonly fix: string | undefined;
  readonly exitCode: number;
  readonly httpStatus: number;
  constructor(options: ErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HardshellError';
    this.code = options.code;
    this.fix = options.fix;
    this.exitCode = options.exitCode ?? EXIT.failure;
    this.httpStatus = options.httpStatus ?? 400;
  }
}

/** A command was given words that it cannot take. */
export const misused = (code: string, message: string, fix: string): HardshellError =>
  new HardshellError({ code, message, fix, exitCode: EXIT.usage });

/** An option was given what it cannot take. */
export const unusable = (message: string, fix: string): HardshellError => misused('OPTION_UNUSABLE', message, fix);

/** What the owner has set up cannot be used as it is. */
export const misconfigured = (code: string, message: string, fix: string): HardshellError =>
  new HardshellError({ code, message, fix, exitCode: EXIT.config });

/** The message of anything thrown, on one line. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s*\n\s*/g, ' ').trim();
}

/** The errno code (`ENOENT`, `EADDRINUSE`, …) of a Node system error, else undefined. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
