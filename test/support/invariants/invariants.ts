// Owns the list of the invariants, in the order of the design.
import { BOUND, CLOSED, MEDIATED, NOT_LIFTED } from './calls.ts';
import { EXPLAINED, MONOTONE, NO_INTERFERENCE, PURE } from './flow.ts';
import { PERSISTS, RECORDED } from './kept.ts';
import type { Invariant } from './traces.ts';

export const INVARIANTS: readonly Invariant[] = [
  MEDIATED,
  MONOTONE,
  NO_INTERFERENCE,
  BOUND,
  NOT_LIFTED,
  PERSISTS,
  CLOSED,
  PURE,
  EXPLAINED,
  RECORDED,
];
