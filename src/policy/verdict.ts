// Owns what one rule says about a call, and which of several sayings holds: the strictest. Pure.

/** What an "always" would cover, shown to the owner word for word before it is saved. */
export type Always = {
  /** which judge asks for it again: `exec`, `message`, … */
  readonly kind: string;
  /** what the judge compares, in its own canonical spelling */
  readonly pattern: string;
  /** one line for people, such as `git status, with no other arguments, in the sandbox` */
  readonly shown: string;
};

/** `key` is the setting, file or act that says so, such as `tools.deny` or `openclaw pairing approved`. */
export type Verdict =
  | {
      readonly rule: 'allow';
      readonly key: string;
      /** the command word by word as it was judged, which is to run instead of the text */
      readonly runAs?: string;
    }
  | {
      readonly rule: 'ask' | 'deny';
      readonly key: string;
      readonly code: string;
      /** one clause without a full stop, of the machine's own words */
      readonly reason: string;
      /** one command or act that opens it; '' when nothing does */
      readonly fix: string;
      /** the parts of the arguments, verbatim, that made it risky; shown marked */
      readonly marks?: readonly string[];
      /** absent: only this once */
      readonly always?: Always;
      /** what is to run when a grant allows it, as above */
      readonly runAs?: string;
    };

export type Objection = Exclude<Verdict, { rule: 'allow' }>;

/** A denial beats a question, whatever their order; several questions are one. Null: nothing objects. */
export function strictest(verdicts: readonly Verdict[]): Objection | null {
  const denied = verdicts.find((one) => one.rule === 'deny');
  if (denied && denied.rule !== 'allow') return denied;
  const asked = verdicts.flatMap((one) => (one.rule === 'ask' ? [one] : []));
  const [first, ...more] = asked;
  if (!first || more.length === 0) return first ?? null;
  const { always: _, ...once } = first;
  return {
    ...once,
    reason: [...new Set(asked.map(({ reason }) => reason))].join('; '),
    marks: asked.flatMap(({ marks = [] }) => marks),
  };
}

/** The rules that ask, each once, in an order that does not depend on who was asked first. */
export const askingCodes = (verdicts: readonly Verdict[]): string[] =>
  [...new Set(verdicts.flatMap((one) => (one.rule === 'ask' ? [one.code] : [])))].sort();
