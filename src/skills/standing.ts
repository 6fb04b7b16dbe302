// Owns whether a skill may be used: only when every file of it is what the owner approved, and of a managed one also what
// lies in the workspace. Pure; anything else waits, and says why.
import type { Content, Problem } from './content.ts';
import type { Entry } from './lock.ts';

export type Standing = {
  readonly state: 'approved' | 'quarantined' | 'changed';
  readonly why: string;
  readonly changes: readonly Problem[];
};

/** `content` is what was installed, or lies in the workspace; `used` is what the assistant would read. */
export function standingOf(entry: Entry | undefined, content: Content, used: Content | null): Standing {
  const approved = entry?.approved ?? null;
  if (approved === null) {
    const shadows = entry?.kind === 'managed' && used !== null && used.hash !== content.hash;
    return {
      state: 'quarantined',
      why: shadows ? 'it waits for you, and something else in the workspace has its name' : 'it waits for you',
      changes: [],
    };
  }
  const changes = used === null ? [{ path: '.', why: 'gone' }] : changesIn(approved.files, used);
  if (changes.length === 0 && content.hash === approved.hash && content.problems.length === 0)
    return { state: 'approved', why: '', changes: [] };
  const [first] = changes;
  const more = changes.length > 1 ? ` and ${changes.length - 1} more` : '';
  const why = first ? `${first.path}: ${first.why}${more}` : 'what was installed is not what was approved';
  return { state: 'changed', why, changes };
}

function changesIn(approved: readonly Content['pins'][number][], { pins, problems }: Content): Problem[] {
  const now = new Map(pins.map((pin) => [pin.path, pin]));
  const before = new Set(approved.map(({ path }) => path));
  return [
    ...problems,
    ...approved.flatMap(({ path, sha256, isExecutable }): Problem[] => {
      const found = now.get(path);
      if (found === undefined) return [{ path, why: 'gone' }];
      if (found.sha256 !== sha256) return [{ path, why: 'changed' }];
      return found.isExecutable === isExecutable ? [] : [{ path, why: 'may be started now, or no more' }];
    }),
    ...pins.flatMap(({ path }): Problem[] => (before.has(path) ? [] : [{ path, why: 'new' }])),
  ];
}
