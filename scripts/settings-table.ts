// Owns the tables of docs/settings.md: every setting with what may be written, its default and what it does. All of it comes
// from the schema; `node scripts/settings-table.ts > docs/settings.md` writes it, and a test holds the page to it.
import { allLeaves, initialOf, kindOf } from '../src/config/schema/tree.ts';

const HEAD = `# Settings

Every setting of \`openclaw.json\`, from the schema that judges it. \`*\` stands for a name of yours, \`[]\` for an entry of a
list. \`openclaw config schema KEY\` says the same in the terminal; [configuration](configuration.md) says how to change one.
`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const shown = (value: unknown): string => (value === undefined ? '' : `\`${cell(JSON.stringify(value))}\``);

export function settingsPage(): string {
  const sections = Map.groupBy(allLeaves(), ({ path }) => path.split('.', 1)[0] ?? '');
  const tables = [...sections].map(([name, leaves]) =>
    [
      `\n## ${name}\n`,
      '| setting | value | default | what |',
      '|---|---|---|---|',
      ...leaves.map(({ path, schema, facts }) => {
        const secret = facts.secret ? '. A secret: refer to it' : '';
        return `| \`${path}\` | ${cell(kindOf(schema))} | ${shown(initialOf(schema))} | ${cell(facts.doc)}${secret} |`;
      }),
    ].join('\n'),
  );
  return `${HEAD}${tables.join('\n')}\n`;
}

if (import.meta.main) process.stdout.write(settingsPage());
