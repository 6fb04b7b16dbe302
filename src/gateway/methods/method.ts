// Owns what a method is: the scope that it needs, the parameters that it takes, what it does with the services.
// A method translates; it keeps no state and decides nothing that the backend should decide.
import type { z } from 'zod';
import type { Scope } from '../auth/scopes.ts';
import type { Backend } from '../backend.ts';
import type { InFlightRun } from '../run-stream.ts';
import type { Connection } from '../socket/connection.ts';
import type { PresenceEntry } from '../socket/presence.ts';

export type Services = {
  readonly backend: Backend;
  readonly now: () => number;
  readonly presence: () => readonly PresenceEntry[];
  readonly connections: () => number;
  /** the text and tools of a run that is going on in the session, for a client that comes late */
  readonly inFlight: (sessionKey: string) => InFlightRun | null;
  readonly historyBytes: number;
  readonly counts: { ignoredFields: number };
};

export type Call = Services & {
  readonly connection: Connection;
  /** the first of two answers to the same request */
  readonly ack: (payload: unknown) => void;
};

export type Method = {
  /** null: answered to everybody who shows the token, with or without scopes */
  readonly scope: Scope | null;
  readonly params: z.ZodType;
  /** `params` is what the schema made of them */
  readonly run: (call: Call, params: unknown) => unknown;
};

export type Table = Readonly<Record<string, Method>>;

/** Ties the type of `run` to the schema. */
export const method = <S extends z.ZodType>(
  scope: Scope | null,
  params: S,
  run: (call: Call, params: z.output<S>) => unknown,
): Method => ({ scope, params, run: run as Method['run'] });
