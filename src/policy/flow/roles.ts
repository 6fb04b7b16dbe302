// Owns what each kind of effect needs before it may happen without a question (trust.md 3.3). Data only: decide-flow.ts
// reads it, the tests walk over all of it.

/** What a tool can do to the world, from harmless to final. */
export type FlowEffect =
  | 'read'
  | 'fetch'
  | 'search'
  | 'reversible'
  | 'irreversible'
  | 'message'
  | 'grant-access'
  | 'money'
  | 'credential'
  | 'execute';
/** `target`: who or where; `object`: what is acted on; `payload`: content; `amount`: how much. */
export type Role = 'target' | 'object' | 'payload' | 'amount';
export type ToolRoles = {
  readonly effect: FlowEffect;
  readonly args: Readonly<Record<string, Role>>;
  /** whether what it gives back can carry other people's text */
  readonly result: 'own' | 'untrusted';
  /** `secret`: identity documents, keys, codes; nothing may leave unasked once they were seen. `public`: anybody reads it */
  readonly readers?: 'secret' | 'public' | undefined;
  /** the assistant itself may have written what it gives back, so that no address in it is one that it was shown */
  readonly isWritable?: true;
};

/** A tool that nobody declared can do anything, with anything, to anybody. */
export const UNDECLARED: ToolRoles = { effect: 'execute', args: {}, result: 'untrusted' };
/** An argument that nobody declared. */
export const UNDECLARED_ROLE: Role = 'target';

/** Who can vouch for a value: the owner's own words of this run, also the owner's registry, also the owner's own data. */
export type Voucher = 'words' | 'registry' | 'own-data';

export type Need = {
  /** always a question, whatever was said */
  readonly always?: true;
  /** the owner's words have to name the kind of act; `tainted`: only once other people's text was read */
  readonly kind: 'always' | 'tainted' | 'never';
  /** who may vouch for the arguments of each role; a role that is left out needs nobody */
  readonly vouched: Readonly<Partial<Record<Role, readonly Voucher[]>>>;
  /** once tainted, links, addresses and account numbers in the payload have to be the owner's too */
  readonly payload: boolean;
  /** it leaves the machine, so nothing secret may have been read */
  readonly leaves: boolean;
};

const WORDS: readonly Voucher[] = ['words'];
const KNOWN: readonly Voucher[] = ['words', 'registry'];
const OWN: readonly Voucher[] = ['words', 'registry', 'own-data'];

export const NEEDS: Readonly<Record<FlowEffect, Need>> = {
  read: { kind: 'never', vouched: {}, payload: false, leaves: false },
  // The address itself; decide-flow.ts also knows one that stood where the owner said to look.
  fetch: { kind: 'never', vouched: { target: KNOWN, payload: WORDS }, payload: false, leaves: true },
  // To the service of the settings, and to nobody whom the model chose; policy/web/query.ts weighs the words.
  search: { kind: 'never', vouched: {}, payload: false, leaves: true },
  reversible: { kind: 'tainted', vouched: { target: KNOWN, object: OWN }, payload: true, leaves: false },
  irreversible: { kind: 'always', vouched: { target: WORDS, object: WORDS }, payload: true, leaves: false },
  message: { kind: 'tainted', vouched: { target: KNOWN, object: OWN }, payload: true, leaves: true },
  'grant-access': { kind: 'always', vouched: { target: WORDS, object: WORDS }, payload: true, leaves: true },
  money: { always: true, kind: 'always', vouched: { target: KNOWN, amount: WORDS }, payload: true, leaves: true },
  credential: { always: true, kind: 'always', vouched: {}, payload: false, leaves: true },
  execute: { always: true, kind: 'always', vouched: {}, payload: false, leaves: true },
};
