// Owns the label that travels with every stored block: who may have written it, who may read it, where it came from.
// Labels only ever join downwards here; raising one is an explicit human act that lives in policy/flow/.

/**
 * From most to least trusted. `owner`: the paired owner's own words; `tool-local`: facts of this machine, in our words;
 * `peer`: people who were let in; `untrusted`: everything from outside. Whoever is heard beside a fact of ours was heard.
 */
export const INTEGRITY = ['owner', 'tool-local', 'peer', 'untrusted'] as const;
export type Integrity = (typeof INTEGRITY)[number];

/** `public`, `owner`, `secret`, or a list of principal ids. */
export type Readers = 'public' | 'owner' | 'secret' | readonly string[];

export type Label = {
  readonly integrity: Integrity;
  readonly readers: Readers;
  /** up to 16 origin ids such as `webchat:agent:main:main` or `file:notes.md`; more become `many` */
  readonly sources: readonly string[];
};

const MAX_SOURCES = 16;

/** Somebody else than the owner had a hand in it. */
export const isOthers = ({ integrity }: Pick<Label, 'integrity'>): boolean =>
  integrity === 'peer' || integrity === 'untrusted';

/** What an unlabelled thing is: from outside, for the owner's eyes. */
export const UNTRUSTED: Label = Object.freeze({ integrity: 'untrusted', readers: 'owner', sources: [] });

export function label(integrity: Integrity, readers: Readers, ...sources: string[]): Label {
  return { integrity, readers, sources };
}

/** Lowest integrity, intersection of readers, union of sources (spec: trust.md 3.1). Associative and monotone. */
export function join(a: Label, b: Label): Label {
  const integrity = INTEGRITY.indexOf(a.integrity) >= INTEGRITY.indexOf(b.integrity) ? a.integrity : b.integrity;
  return { integrity, readers: intersect(a.readers, b.readers), sources: unite(a.sources, b.sources) };
}

function intersect(a: Readers, b: Readers): Readers {
  if (a === 'secret' || b === 'secret') return 'secret';
  if (a === 'public') return b;
  if (b === 'public') return a;
  // The owner reads everything short of `secret`, so a list narrows to people and the owner stays implied.
  if (a === 'owner' || b === 'owner') return 'owner';
  const common = a.filter((id) => b.includes(id));
  return common.length > 0 ? common : 'owner';
}

function unite(a: readonly string[], b: readonly string[]): readonly string[] {
  if (a.includes('many') || b.includes('many')) return ['many'];
  const all = [...new Set([...a, ...b])];
  return all.length > MAX_SOURCES ? ['many'] : all;
}

/** The three columns that every table of blocks carries. */
export type LabelColumns = { integrity: string; readers: string; sources: string };

export function toColumns(l: Label): LabelColumns {
  const readers = typeof l.readers === 'string' ? l.readers : JSON.stringify(l.readers);
  return { integrity: l.integrity, readers, sources: l.sources.join('\n') };
}

/** Reads the columns back; anything malformed is `untrusted` (fail closed). */
export function fromColumns(c: LabelColumns): Label {
  const integrity = INTEGRITY.find((i) => i === c.integrity);
  const readers = parseReaders(c.readers);
  if (!integrity || !readers) return UNTRUSTED;
  return { integrity, readers, sources: c.sources === '' ? [] : c.sources.split('\n') };
}

function parseReaders(text: string): Readers | null {
  if (text === 'public' || text === 'owner' || text === 'secret') return text;
  try {
    const ids: unknown = JSON.parse(text);
    return Array.isArray(ids) && ids.every((id) => typeof id === 'string') ? ids : null;
  } catch {
    return null;
  }
}
