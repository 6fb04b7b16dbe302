// Owns how sensitive things are: the owner's tiers of paths, senders and connectors, a starter table of names that mean
// private papers, and what of it is refused where others listen. Pure but for where a name really leads.
import { join } from 'node:path';
import { covers, real, type Zones } from '../../config/zones.ts';
import { foldPath } from '../../platform/never-readable.ts';
import { join as joined, type Label, label } from '../../store/label.ts';
import type { PermittedCall, ToolCall } from '../decide.ts';
import type { Effect } from '../effects.ts';
import type { Verdict } from '../verdict.ts';

export type Tier = 'high' | 'medium' | 'low';
/** Paths as they are; `sender:telegram:42` and `connector:mail` beside them. */
export type Tiers = Readonly<Record<Tier, readonly string[]>>;
export type Tiered = { readonly tier: Tier; readonly key: string; readonly because: string };

const TIERS: readonly Tier[] = ['high', 'medium', 'low'];
const STARTER = 'built in: names of private papers';

/** Words of a folder's or a paper's name, in the languages of the guides' readers, and what they are about. */
const WORDS = words({
  taxes: 'tax taxes taxreturn w2 steuer steuern steuererklärung steuererklaerung steuerbescheid elster impuestos impôts imposte',
  medicine: 'medical diagnosis diagnose diagnosen befund befunde arztbrief arztbriefe prescription rezepte krankenkasse patient patientenakte bloodtest',
  law: 'legal lawsuit attorney lawyer notary testament anwalt notar klage vollmacht',
  keys: 'keys apikey apikeys privatekey mnemonic seedphrase',
  passwords: 'password passwords passwort passwörter passwoerter kennwort credentials logins contraseñas',
  identity: 'passport passports reisepass personalausweis ausweis ausweise idcard driverslicense führerschein fuehrerschein ssn birthcertificate geburtsurkunde',
}); // biome-ignore format: a table
/** Files that are keys whatever they are called. */
const KEY_FILES = new Set(['pem', 'key', 'p12', 'pfx', 'kdbx', 'jks', 'keystore', 'ovpn']);
/** Papers; a program called taxes.ts is none. */
const PAPERS = new Set(['', 'pdf', 'doc', 'docx', 'odt', 'rtf', 'txt', 'md', 'csv', 'xls', 'xlsx', 'ods', 'jpg', 'jpeg', 'png', 'heic', 'tif', 'tiff', 'eml', 'msg', 'htm', 'html', 'zip', '7z']); // biome-ignore format: a table
const MAX_NAME_CHARS = 4_096;

/** Of an absolute path. What the owner wrote nearest to it holds, of two the stricter; else what its name says. */
export function tierOfPath(tiers: Tiers, { workspace }: Pick<Zones, 'workspace'>, path: string): Tiered | null {
  const [top = '/'] = workspace;
  let best: (Tiered & { readonly length: number }) | null = null;
  for (const tier of TIERS)
    for (const entry of tiers[tier]) {
      if (/^(sender|connector):/.test(entry)) continue;
      const at = entry.startsWith('/') ? entry : join(top, entry);
      for (const spelling of new Set([at, real(at)])) {
        const folded = foldPath(spelling).replace(/(.)\/+$/, '$1');
        if (covers(folded, foldPath(path)) && folded.length > (best?.length ?? -1))
          best = { tier, key: `trust.tiers.${tier}`, because: entry, length: folded.length };
      }
    }
  if (best !== null) return best;
  const inside = workspace.find((one) => covers(one, path));
  const about = aboutName(inside === undefined ? path : path.slice(inside.length));
  return about === null ? null : { tier: 'high', key: STARTER, because: about };
}

function aboutName(path: string): string | null {
  const segments = path.slice(-MAX_NAME_CHARS).normalize('NFC').toLowerCase().split('/');
  const name = segments.pop() ?? '';
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot + 1) : '';
  if (KEY_FILES.has(extension)) return 'keys';
  if (!PAPERS.has(extension)) return null;
  for (const part of [...segments, dot > 0 ? name.slice(0, dot) : name])
    for (const word of part.split(/[^\p{L}\p{N}]+/u)) {
      const about = WORDS.get(word);
      if (about !== undefined) return about;
    }
  return null;
}

export const tierOfSender = (tiers: Tiers, sender: string): Tier | null =>
  TIERS.find((tier) => tiers[tier].includes(`sender:${sender}`)) ?? null;

/** `mail` is the tool called so, every tool of an MCP server called so, and whatever came from there. */
export function tierOfConnector(tiers: Tiers, tool: string, sources: readonly string[] = []): Tiered | null {
  for (const tier of TIERS)
    for (const entry of tiers[tier]) {
      const name = /^connector:(.+)$/.exec(entry)?.[1];
      if (name === undefined) continue;
      const isTool = [name, `mcp_${name}`, `mcp__${name}`].some((one) => tool === one || tool.startsWith(`${one}_`));
      if (isTool || sources.some((one) => one === name || one.startsWith(`${name}:`) || one.startsWith(`mcp:${name}`)))
        return { tier, key: `trust.tiers.${tier}`, because: entry };
    }
  return null;
}

/** The strictest of all that a call touches, as far as its effects and the words of its commands name it. */
export function tierOfCall(tiers: Tiers, zones: Zones, tool: string, effects: readonly Effect[]): Tiered | null {
  const found = [
    tierOfConnector(tiers, tool),
    ...effects.flatMap((effect) => namesIn(effect).flatMap((name) => tiersOfName(tiers, zones, name))),
  ].filter((one) => one !== null);
  return found.sort((a, b) => TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier))[0] ?? null;
}

/** What came back is also judged by where it says that it comes from. */
export function tierOfResult(
  tiers: Tiers,
  zones: Zones,
  { name, effects }: PermittedCall,
  sources: readonly string[],
): Tiered | null {
  const [called, came] = [tierOfCall(tiers, zones, name, effects), tierOfConnector(tiers, name, sources)];
  return called?.tier === 'high' ? called : (came ?? called);
}

/** Also of what a link leads to. */
function tiersOfName(tiers: Tiers, zones: Zones, name: string): (Tiered | null)[] {
  const inside = name.replace(/^\/workspace(?=\/|$)/, zones.workspace[0] ?? '/');
  // What is above a link, only the system knows.
  const given = inside.startsWith('/') ? inside : `${zones.workspace[0] ?? '/'}/${inside}`;
  return [...new Set([join(given), join(real(given))])].map((one) => tierOfPath(tiers, zones, one));
}

/** Of a command the words that could be paths. What it puts together while it runs, nobody can see here. */
function namesIn(effect: Effect): string[] {
  if (effect.kind === 'read' || effect.kind === 'write') return [effect.path];
  if (effect.kind === 'call') return [...(effect.files ?? [])];
  if (effect.kind !== 'run') return [];
  const said = effect.command.split(/[\s'"`;|&()<>={},:$]+/).filter((word) => word !== '' && word.length < MAX_NAME_CHARS && /[/.\p{L}]/u.test(word)); // biome-ignore format: one thought
  return [effect.cwd, ...said.map((word) => (word.startsWith('/') ? word : `${effect.cwd}/${word}`))].slice(
    0,
    MAX_WORDS,
  );
}
const MAX_WORDS = 500;

/** What is high or medium is for the owner in a direct chat alone. */
export function judgeTiers(
  { name, speaker }: Pick<ToolCall, 'name' | 'speaker'>,
  effects: readonly Effect[],
  tiers: Tiers,
  zones: Zones,
): Verdict[] {
  const isPrivate = speaker.principal.kind === 'owner' && speaker.place === 'dm';
  if (isPrivate) return [];
  const found = tierOfCall(tiers, zones, name, effects);
  if (found === null || found.tier === 'low') return [];
  const where = speaker.place === 'dm' ? 'for the owner alone' : 'never used in a group';
  return [
    {
      rule: 'deny',
      key: found.key,
      code: 'TIER_PRIVATE',
      reason: `this is ${where}: tier ${found.tier} by ${found.because}`,
      fix: 'ask in a direct chat of the owner',
    },
  ];
}

/**
 * A command with a way out could send off what was read, or what it names itself: after something secret it is asked about.
 * `reaches`: the boxes of this conversation have hosts that they reach.
 */
export function judgeCarryingOut(
  call: Pick<ToolCall, 'name' | 'context'>,
  effects: readonly Effect[],
  tiers: Tiers,
  zones: Zones,
  reaches: boolean,
): Verdict[] {
  const hasWayOut = effects.some(
    (one) => (one.kind === 'run' && (reaches || one.where === 'host')) || (one.kind === 'process' && reaches),
  );
  if (!hasWayOut) return [];
  const isSecret = call.context.readers === 'secret' || tierOfCall(tiers, zones, call.name, effects)?.tier === 'high';
  const reason = 'something secret was read or is named here, and what this runs can reach other machines';
  return isSecret ? [{ rule: 'ask', key: 'trust.tiers', code: 'SECRET_READ', reason, fix: '' }] : [];
}

/** The label of what such a call has brought: what is high is secret from then on, what is low anybody may read. */
export function labelled(given: Label, found: Tiered | null): Label {
  if (found?.tier === 'high') return joined(given, label('owner', 'secret'));
  return found?.tier === 'low' && given.readers === 'owner' ? { ...given, readers: 'public' } : given;
}

function words(table: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(table).flatMap(([about, list]) => list.split(' ').map((word) => [word, about] as const)),
  );
}
