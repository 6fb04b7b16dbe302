// Owns the vocabulary of effects: what a tool call would do, as data. Policy decides on these, never on tool names.

export type Effect =
  | { readonly kind: 'read'; readonly path: string }
  | { readonly kind: 'write'; readonly path: string }
  | { readonly kind: 'run'; readonly argv: readonly string[]; readonly where: 'sandbox' | 'host' };
