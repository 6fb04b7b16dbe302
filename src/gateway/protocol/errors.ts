// Owns the errors of the wire: their codes and the one way from a thrown thing to an error object. Nothing that was not
// meant for the peer may pass through here: an unknown failure becomes "internal error", its text goes to the log.
import { HardshellError, reasonOf } from '../../platform/errors.ts';

export type ErrorCode =
  | 'INVALID_REQUEST'
  | 'UNAVAILABLE'
  | 'FORBIDDEN'
  | 'NOT_PAIRED'
  | 'NOT_LINKED'
  | 'AGENT_TIMEOUT'
  | 'APPROVAL_NOT_FOUND';

export type WireError = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly retryable?: true;
  readonly retryAfterMs?: number;
};

/** Thrown by a method to answer with exactly this error. */
export class Refusal extends Error {
  readonly wire: WireError;
  constructor(wire: WireError) {
    super(wire.message);
    this.name = 'Refusal';
    this.wire = wire;
  }
}

export function invalidRequest(message: string, details?: Readonly<Record<string, unknown>>): WireError {
  return { code: 'INVALID_REQUEST', message, ...(details ? { details } : {}) };
}

export function unavailable(message: string, reason: string, retryAfterMs: number): WireError {
  return { code: 'UNAVAILABLE', message, details: { reason }, retryable: true, retryAfterMs };
}

export function missingScope(scope: string): WireError {
  return {
    code: 'FORBIDDEN',
    message: `missing scope: ${scope}`,
    details: { code: 'MISSING_SCOPE', missingScope: scope, requiredScopes: [scope] },
  };
}

/** Statuses of what cannot take work now; everything else that is refused is the caller's to change. */
const TRY_AGAIN: readonly number[] = [429, 503, 507];

export function toWireError(error: unknown, report: (reason: string, error: unknown) => void): WireError {
  if (error instanceof Refusal) return error.wire;
  if (error instanceof HardshellError) {
    const details = { code: error.code, ...(error.fix === undefined ? {} : { fix: error.fix }) };
    if (TRY_AGAIN.includes(error.httpStatus)) {
      return { code: 'UNAVAILABLE', message: error.message, details, retryable: true, retryAfterMs: 1_000 };
    }
    return invalidRequest(error.message, details);
  }
  report(reasonOf(error), error);
  return { code: 'UNAVAILABLE', message: 'internal error; the log has the reason', details: { code: 'INTERNAL' } };
}
