// Owns the form of a row of the audit's matrix: what is wrong, the configuration, and what must be found, no more and no less,
// as `C id`, `W id` or `I id`.
export type Row = readonly [what: string, config: string, found: readonly string[]];
