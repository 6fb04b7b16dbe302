// Owns the checks of what it works with from outside: models, their addresses, MCP servers, and the settings whose names say
// that they are dangerous. It looks at settings only, and reaches nobody.
import { showKeyPath } from '../../../config/edit/key-path.ts';
import type { Config } from '../../../config/schema.ts';
import type { Check } from '../../check.ts';
import { found } from '../../looking.ts';
import { advise, mend } from '../../mend.ts';
import { overIn, whenIs, whenSaid } from '../over.ts';
import { runsOnHost } from './sandbox.ts';

const over = overIn('What it can do');

/** Small and old ones follow an order in a text more often. */
const WEAK = /(^|[-/.:_])(haiku|mini|nano|flash|lite|small|tiny|luna|instant|turbo|8x7b)([-/.:_]|$)/i;
const LEGACY =
  /(^|\/)(gpt-3|gpt-4(-|$|o)|text-|claude-(1|2|3|instant)([-.]|$)|gemini-(1|pro)([-.]|$)|llama-?[12]([-.:]|$)|o1([-]|$))/i;
const SMALL_BILLIONS = 300;

function* modelsOf({ agents }: Config): Generator<readonly [key: string, model: string]> {
  const { primary, fallbacks } = agents.defaults.model;
  if (primary !== undefined) yield ['agents.defaults.model.primary', primary];
  for (const name of fallbacks) yield ['agents.defaults.model.fallbacks', name];
  for (const [id, { model }] of Object.entries(agents.entries))
    if (model !== undefined) yield [`agents.entries.${id}.model`, model];
}

const billionsOf = (model: string): number | null => {
  const found = /(?:^|[-:_/])(\d+(?:\.\d+)?)b(?:[-:_.]|$)/i.exec(model)?.[1];
  return found === undefined ? null : Number(found);
};

function modelCheck(
  head: Pick<Check, 'id' | 'title' | 'why'>,
  isBad: (model: string) => boolean,
  severity: (settings: Config) => 'CRITICAL' | 'WARNING' | 'INFO',
): Check {
  return over(head.id, head.title, {
    ...head,
    rows: ['S181'],
    pass: (settings) => `Model: ${[...modelsOf(settings)][0]?.[1] ?? 'the first of the provider with a key'}`,
    *look(settings, facts) {
      for (const [key, model] of modelsOf(settings)) {
        if (!isBad(model)) continue;
        const left = settings.agents.defaults.model.fallbacks.filter((one) => !isBad(one));
        yield found(
          severity(settings),
          `${key} is ${model}`,
          advise(facts, { [key]: key.endsWith('fallbacks') && left.length > 0 ? left : null }),
        );
      }
    },
  });
}

/** A program that fetches another one when it starts: the same words mean something else tomorrow. No argument is repeated. */
function unpinnedIn(command: string, args: readonly string[]): string | null {
  const program = command.split('/').at(-1) ?? command;
  const verbs = /^(dlx|exec|x|run|tool|create)$/;
  const isRunner = /^(npx|bunx|pnpx|uvx|pipx|deno)$/.test(program);
  if (isRunner || (/^(npm|pnpm|yarn|bun|uv)$/.test(program) && args.some((one) => verbs.test(one))))
    return args.some((one) => /.@v?\d+\.\d+\.\d+|==\d|^\.{0,2}\//.test(one))
      ? null
      : `${program} without naming a version`;
  if (/^(docker|podman)$/.test(program))
    return args.some((one) => one.includes('@sha256:')) ? null : `${program} without naming a digest`;
  return null;
}

export const OUTSIDE_CHECKS: readonly Check[] = [
  modelCheck(
    {
      id: 'models.weak_tier',
      title: 'Is the model one of the strong ones?',
      why: 'a small one follows orders in a web page or a mail more often',
    },
    (model) => WEAK.test(model) && !LEGACY.test(model) && billionsOf(model) === null,
    () => 'WARNING',
  ),
  modelCheck(
    {
      id: 'models.legacy',
      title: 'Is the model one of this year’s?',
      why: 'old ones are not trained to tell your orders from those in a text',
    },
    (model) => LEGACY.test(model),
    () => 'WARNING',
  ),
  modelCheck(
    {
      id: 'models.small_params',
      title: 'Is the model large enough for what it may do?',
      why: 'one of this size is talked into things by any page it reads; keep it in a box, and away from the web',
    },
    (model) => (billionsOf(model) ?? SMALL_BILLIONS + 1) <= SMALL_BILLIONS,
    (settings) =>
      runsOnHost(settings) ? 'CRITICAL' : settings.agents.defaults.sandbox.mode === 'all' ? 'INFO' : 'WARNING',
  ),
  over('models.provider_plain_http', 'Is the way to the model encrypted?', {
    why: 'whoever is on the way reads the key and everything that is said, and answers in the model’s place',
    rows: ['S194'],
    pass: 'The way to the model is encrypted, or stays on this machine',
    look: whenSaid(['provider-plain-http', 'provider-url']),
  }),
  over('mcp.plain_http', 'Is the way to each MCP server encrypted?', {
    why: 'whoever is on the way reads and writes what the tools say',
    pass: ({ mcp }) => `MCP servers: ${Object.keys(mcp.servers).join(', ') || 'none'}`,
    look: whenSaid(['mcp-plain-http'], { wanted: ({ key }) => ({ [key.replace(/\.url$/, '')]: null }) }),
  }),
  over('mcp.servers_unpinned', 'Is each MCP server the same program tomorrow?', {
    group: 'Supply chain',
    why: 'what is fetched at each start is whatever its maker, or whoever took over the name, has put there since',
    rows: ['S018', 'S196', 'S263'],
    isMain: true,
    pass: 'MCP servers: pinned to a version, or none',
    *look({ mcp }, facts) {
      for (const [name, { enabled, command, args }] of Object.entries(mcp.servers)) {
        const odd = enabled && command !== undefined ? unpinnedIn(command, args) : null;
        if (odd === null) continue;
        const key = `mcp.servers${showKeyPath([name]).replace(/^(?!\[)/, '.')}`;
        yield found('WARNING', `${key} starts ${odd}`, advise(facts, { [`${key}.enabled`]: false }), { where: key });
      }
    },
  }),
  over('mcp.workspace_writable', 'Does no MCP server change your workspace?', {
    why: 'a foreign program changes what the assistant reads as its own',
    pass: 'No MCP server changes the workspace',
    *look({ mcp }, facts) {
      for (const [name, { enabled, workspace }] of Object.entries(mcp.servers))
        if (enabled && workspace === 'rw') {
          const key = `mcp.servers${showKeyPath([name]).replace(/^(?!\[)/, '.')}.workspace`;
          yield found('INFO', `${key} is "rw"`, mend(facts, { [key]: 'ro' }));
        }
    },
  }),
  over('security.install_policy_off', 'Is what is installed scanned, locked, and approved by you?', {
    group: 'Supply chain',
    why: 'a skill runs as it came, and nobody notices when it changes',
    rows: ['S196', 'S238', 'S261', 'S263'],
    isMain: true,
    pass: 'Installs: scanned, locked, approved by you',
    look: whenIs('security.installPolicy.enabled', false, 'CRITICAL'),
  }),
  over('config.insecure_or_dangerous_flags', 'Is nothing set whose name says that it is dangerous?', {
    why: 'each of them switches off what keeps others out, and stays when the reason is long gone',
    rows: ['S027', 'S115', 'S147'],
    pass: 'No setting is on whose name says that it is dangerous',
    *look(settings, facts) {
      for (const path of dangerousIn(settings, []))
        yield found('WARNING', `${showKeyPath(path)} is true`, advise(facts, { [showKeyPath(path)]: null }), {
          where: path.join('.'),
        });
    },
  }),
];

/** Paths of settings that begin with `dangerously` and are on. */
function* dangerousIn(tree: unknown, path: readonly string[]): Generator<readonly string[]> {
  if (tree === null || typeof tree !== 'object') return;
  for (const [name, value] of Object.entries(tree)) {
    if (name.startsWith('dangerously') && value === true) yield [...path, name];
    else yield* dangerousIn(value, [...path, name]);
  }
}
