// Owns the two spellings of how much of the schedule is kept. It must never know where that is.
export type Limits = { readonly count: number; readonly maxBytes: number };

const MAX_BYTES = 10_000_000_000;

export const limitsOf = (keep: number | Limits): Limits =>
  typeof keep === 'number' ? { count: keep, maxBytes: MAX_BYTES } : keep;
