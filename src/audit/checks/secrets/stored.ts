// Owns the questions where secrets lie: in the open in the configuration, as placeholders, too old, twice, in copies. What is
// wrong is found by secrets/audit.ts; here it becomes findings. No value of a secret is ever in one.
import { secretsIn } from '../../../config/secrets.ts';
import { look } from '../../../platform/files.ts';
import { auditSecrets, type SecretFinding } from '../../../secrets/audit.ts';
import { type Check, type Facts, type Finding, outcomeOf, type Severity } from '../../check.ts';

const ROTATE_AFTER_DAYS = 90;
const SEVERITY = { critical: 'CRITICAL', warning: 'WARNING', info: 'INFO' } as const satisfies Record<string, Severity>;

/** What the checks of modes say already, with what would mend it. */
const TOLD = / by others( on this machine)? \(mode /;

/** Placeholders there are the business of the door's own checks. */
const DOORS = /^(gateway\.auth|hooks)\.|\/gateway-token$|: OPENCLAW_GATEWAY_TOKEN$/;

type Question = Pick<Check, 'id' | 'title' | 'why' | 'rows'> & {
  readonly codes: readonly SecretFinding['code'][];
  readonly pass: string;
};

const asked = (id: string, title: string, more: Omit<Question, 'id' | 'title'>): Question => ({ id, title, ...more });

const QUESTIONS: readonly Question[] = [
  asked('secrets.plaintext_in_config', 'Do keys or tokens stand in openclaw.json itself?', {
    why: 'whoever sees the file, a copy or a screenshot of it has the key, and it gets into backups and histories',
    rows: ['S063', 'S194'],
    codes: ['secret-in-config', 'token-in-config'],
    pass: 'Configuration: no secret in the open',
  }),
  asked('secrets.placeholder', 'Is a secret still the one from an example?', {
    why: 'everybody who has read the same guide knows it',
    rows: ['S101', 'S149'],
    codes: ['secret-placeholder'],
    pass: 'Secrets: none is a placeholder',
  }),
  asked('secrets.unusable', 'Would every key file be read?', {
    why: 'a key that others could have changed is refused, and what needs it stands still',
    rows: ['S206'],
    codes: ['secret-file', 'secret-folder'],
    pass: 'Key files: each would be read',
  }),
  asked('secrets.age', 'Are keys rotated?', {
    why: 'a key that leaked unnoticed works until it is replaced',
    rows: ['S126'],
    codes: ['secret-old'],
    pass: 'Secrets: none is older than you allow',
  }),
  asked('secrets.reused', 'Does one secret do for two things?', {
    why: 'it is rotated in one place and lives on in the other, and a thief of one has both',
    rows: ['S069'],
    codes: ['secret-twice'],
    pass: 'Secrets: each has its own',
  }),
  asked('secrets.copies', 'Are there forgotten copies that hold secrets?', {
    why: 'editors and careful people leave copies, and whoever reads one has what was in it',
    rows: ['S063'],
    codes: ['secret-copy'],
    pass: 'Copies: none of them holds a secret',
  }),
  asked('secrets.shadowed', 'Does every key file count?', {
    why: 'whoever rotates a file that does not count believes to be safe',
    rows: [],
    codes: ['secret-shadowed'],
    pass: 'Key files: none is overridden from outside',
  }),
];

export const STORED_CHECKS: readonly Check[] = QUESTIONS.map(({ codes, pass, ...question }) => ({
  ...question,
  group: 'Secrets',
  depth: 'read',
  probe: (facts) => {
    if (look(facts.paths.stateDir) === null) return { skipped: 'there is no state folder yet' };
    const asked = secretFindings(facts).filter(
      ({ code, message, where }) =>
        codes.includes(code) && !TOLD.test(message) && !(code === 'secret-placeholder' && DOORS.test(where)),
    );
    return outcomeOf(asked.map(findingOf), pass);
  },
}));

const known = new WeakMap<Facts, readonly SecretFinding[]>();

function secretFindings(facts: Facts): readonly SecretFinding[] {
  const before = known.get(facts);
  if (before) return before;
  const { paths, env, inspection, settings, nowMs } = facts;
  const found = auditSecrets({
    ...paths,
    ...{ env, nowMs, configPath: inspection?.path ?? paths.configPath },
    settings: [...secretsIn(inspection?.understood)].map(({ path, holder, key }) => ({ path, value: holder[key] })),
    rotateAfterDays: settings?.secrets.rotateAfterDays ?? ROTATE_AFTER_DAYS,
  });
  known.set(facts, found);
  return found;
}

const findingOf = ({ severity, message, fix, where }: SecretFinding): Finding => ({
  ...{ severity: SEVERITY[severity], evidence: message, fix, where },
});
