// Owns `openclaw sbom`: what is shipped, and what was added here: skills, side programs and MCP servers, each with its hash.
// It reads files and settings; it starts nothing and asks nobody.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../../../platform/ids.ts';
import { canonicalJson, tryParseJson } from '../../../platform/json.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { tableLines } from '../../print/table.ts';
import { openSkills, type SkillReach } from './reach.ts';

type Component = {
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly hashes?: readonly { readonly alg: 'SHA-256'; readonly content: string }[];
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
};
type Bill = { readonly components?: readonly Component[] } & Readonly<Record<string, unknown>>;

export async function run(context: Context): Promise<undefined> {
  const { out } = context;
  const reach = await openSkills(context);
  const shipped = shippedBill(context.version);
  const added = [...skillsOf(reach), ...(await sidecarsOf(reach)), ...serversOf(reach)];
  const bill = { ...shipped, components: [...(shipped.components ?? []), ...added] };
  if (out.json) {
    // The document itself, so that other tools can read it.
    out.record(bill);
    return undefined;
  }
  const rows = bill.components.map(({ name, version = '', hashes, properties }) => [
    properties?.find((one) => one.name === 'openclaw:kind')?.value ?? 'library',
    name,
    version,
    properties?.find((one) => one.name === 'openclaw:state')?.value ?? '',
    hashes?.[0]?.content.slice(0, 12) ?? '',
  ]);
  const columns = ['KIND', 'NAME', 'VERSION', 'STATE', 'HASH'].map((title) => ({ title }));
  for (const line of tableLines(columns, rows, out.width)) out.line(line);
  out.note(span('dim', 'as CycloneDX: openclaw sbom --json'));
  return undefined;
}

/** dist/sbom.json, which the build writes; from the sources, only the product. */
function shippedBill(version: string): Bill {
  for (const up of ['../', './', '../../../../dist/']) {
    const path = fileURLToPath(new URL(`${up}sbom.json`, import.meta.url));
    const found = existsSync(path) ? tryParseJson(readFileSync(path, 'utf8')) : undefined;
    if (typeof found === 'object' && found !== null && 'bomFormat' in found) return found as Bill;
  }
  const metadata = { component: { type: 'application', name: 'hardshell', version } };
  return { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, metadata, components: [] };
}

function component(kind: string, name: string, hash: string, facts: Readonly<Record<string, string>>): Component {
  return {
    type: 'application',
    name,
    ...(hash === '' ? {} : { hashes: [{ alg: 'SHA-256' as const, content: hash }] }),
    properties: [
      { name: 'openclaw:kind', value: kind },
      ...Object.entries(facts).map(([key, value]) => ({ name: `openclaw:${key}`, value })),
    ],
  };
}

const skillsOf = ({ desk }: SkillReach): Component[] =>
  desk.list().map(({ name, hash, state, source }) =>
    component('skill', name, hash, {
      state,
      ...(source === null ? {} : { from: source.from, ...(source.commit ? { commit: source.commit } : {}) }),
    }),
  );

async function sidecarsOf({ places }: SkillReach): Promise<Component[]> {
  const { sideState } = await import('../../../channels/whatsapp/install.ts');
  const { name, state, hash } = sideState(places.stateDir);
  return state === 'absent' ? [] : [component('side program', name, hash, { state })];
}

/** The hash is of what is started or asked; of a program that is named by its path, that of the file as well. */
const serversOf = ({ config }: SkillReach): Component[] =>
  Object.entries(config?.mcp.servers ?? {}).map(([name, { command, args, url, enabled }]) => {
    const program = command?.startsWith('/') && statSync(command, { throwIfNoEntry: false })?.isFile() ? command : null;
    return component('mcp server', name, sha256(canonicalJson({ command, args, url })), {
      state: enabled ? 'on' : 'off',
      ...(url === undefined ? { command: command ?? '' } : { url: new URL(url).origin }),
      ...(program === null ? {} : { program: sha256(readFileSync(program)) }),
    });
  });
