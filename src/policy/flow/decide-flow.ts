// Owns the one question of information flow: may this act happen without a word of the owner, given all that the model has
// read? Pure over a run; it assumes that the model obeys whatever it read last, and never looks at why it asks for a call.
import { unvouched } from '../web/query.ts';
import { leadsIn, linksIn, type Named, namedIn, urlKey } from './canonical.ts';
import { isOfKind, kindsIn } from './kinds.ts';
import { ownWords } from './own-words.ts';
import {
  type FlowEffect,
  NEEDS,
  type Need,
  type Role,
  type ToolRoles,
  UNDECLARED,
  UNDECLARED_ROLE,
  type Voucher,
} from './roles.ts';

export type FlowCall = { readonly tool: string; readonly args: Readonly<Record<string, unknown>> };
export type FlowDecision = {
  readonly decision: 'allow' | 'ask' | 'deny';
  /** the rule that held; stable */
  readonly code: string;
  readonly reason: string;
  /** what the model had read by then, at most 16 and then `many` */
  readonly sources: readonly string[];
  /** the part of an argument that nobody vouched for */
  readonly value?: string;
};

export type FlowRun = {
  /** The owner speaks; only their own words of it vouch for anything. */
  owner(text: string): void;
  decide(call: FlowCall): FlowDecision;
  /** The call has run, and the model has read this. */
  result(call: FlowCall, text: string): void;
};

/** What the conversation holds: the owner's own words from before, things that are not public, words of others. */
export type Before = {
  readonly isTainted: boolean;
  readonly hasSecret: boolean;
  readonly words?: string;
  readonly hasThings?: boolean;
  readonly hasOutside?: boolean;
  /** whose pages need no naming */
  readonly hosts?: ReadonlySet<string>;
};

/** What is decided by: data, and whose words are the owner's. Handed in so that tests can show what each rule is for. */
export type Weighing = { readonly needs: Readonly<Record<FlowEffect, Need>>; ownWords(message: string): string };
const WEIGHING: Weighing = { needs: NEEDS, ownWords };

const MAX_SOURCES = 16;
/** The path of a page is a place for words, too. */
const MAX_PAGE_CHARS = 300;

/** Read once for as long as the registry stays as it is. */
const registries = new WeakMap<object, Named>();
function knownIn(registry: Readonly<Record<string, readonly string[]>>): Named {
  const found = registries.get(registry) ?? namedIn(Object.values(registry).flat().join('\n'));
  registries.set(registry, found);
  return found;
}

/** `registry`: people, chats, hosts and accounts that the owner has confirmed beforehand, under any names. `before`: what
 *  the conversation held when the run began. */
export function createFlowRun(
  tools: Readonly<Record<string, ToolRoles>>,
  registry: Readonly<Record<string, readonly string[]>>,
  before: Before = { isTainted: false, hasSecret: false },
  { needs, ownWords: ownOf }: Weighing = WEIGHING,
): FlowRun {
  let words = '';
  let named: Named = namedIn('');
  let kinds: ReadonlySet<number> = new Set();
  const known = knownIn(registry);
  const own: Named[] = [];
  /** addresses that stood where the owner had said to look, but in no page */
  const shownUrls = new Set<string>();
  const sources: string[] = [];
  let { isTainted, hasSecret } = before;
  const pages: string[] = [];
  const things: string[] = [];
  let { hasThings = false, hasOutside = false } = before;

  const rolesOf = (tool: string): ToolRoles => (Object.hasOwn(tools, tool) ? (tools[tool] ?? UNDECLARED) : UNDECLARED);
  const vouches: Readonly<Record<Voucher, (value: string) => boolean>> = {
    words: (value) => named.has(value),
    registry: (value) => known.has(value),
    'own-data': (value) => own.some((one) => one.has(value)),
  };

  const judge = (call: FlowCall): Omit<FlowDecision, 'sources'> => {
    const roles = rolesOf(call.tool);
    const need = needs[roles.effect];
    if (roles.effect === 'read') return allow('READS');
    if (roles === UNDECLARED) return ask('UNDECLARED', `nobody has said what ${call.tool} does`);
    if (need.always) return ask(`${codeOf(roles.effect)}_ASKS`, `${call.tool} is never done without a word of yours`);
    if (need.leaves && hasSecret) return ask('SECRET_READ', 'something secret was read, and this leaves the machine');
    if ((need.kind === 'always' || (need.kind === 'tainted' && isTainted)) && !isOfKind(call.tool, kinds))
      return ask('KIND_NOT_NAMED', `you did not ask for anything like ${call.tool}`);
    for (const { name, role, value } of argumentsOf(call, roles)) {
      const vouchers = need.vouched[role];
      if (
        vouchers &&
        !isVouched(role, value, vouchers) &&
        !(roles.effect === 'fetch' && (isShown(value) || isAtKnownHost(value)))
      )
        return ask(`${role.toUpperCase()}_NOT_NAMED`, `${name} "${shown(value)}" is nothing that you named`, value);
      if (roles.effect === 'search' && role === 'payload') {
        const own = `${before.words ?? ''}\n${words}`;
        const part = unvouched(value, { own, pages, things, hasThings, hasOutside });
        if (part !== null)
          return ask(
            'QUERY_NOT_NAMED',
            `"${shown(part)}" would go to the search service, and you did not say it`,
            part,
          );
      }
      if (need.payload && isTainted && role === 'payload') {
        const lead = leadsIn(value).find((one) => !named.has(one) && !known.has(one));
        if (lead !== undefined)
          return ask('PAYLOAD_LEADS_ON', `${name} has "${shown(lead)}" in it, which is nothing that you named`, lead);
      }
    }
    return allow(isTainted ? 'ALL_NAMED' : 'NOTHING_FROM_OUTSIDE');
  };

  const isVouched = (role: Role, value: string, vouchers: readonly Voucher[]): boolean =>
    role === 'amount'
      ? named.hasAmount(Number(value))
      : vouchers.some((voucher) => vouches[voucher](value)) || (vouchers.includes('own-data') && isBareId(value));

  /** A page of a host that the owner confirmed; what is asked there, and where else it could lead, is nobody's word. */
  const isAtKnownHost = (url: string): boolean => {
    if (before.hosts === undefined || url.length > MAX_PAGE_CHARS || !URL.canParse(url)) return false;
    const { protocol, host, username, password, search, hash } = new URL(url);
    return protocol === 'https:' && before.hosts.has(host) && `${username}${password}${search}${hash}` === '';
  };

  /** Without any byte of ours added: what stood there, in full. */
  const isShown = (url: string): boolean => shownUrls.has(urlKey(url));

  return {
    owner(text) {
      words = `${words}\n${ownOf(text)}`;
      named = namedIn(words);
      kinds = kindsIn(words);
    },
    decide: (call) => ({ ...judge(call), sources: [...sources] }),
    result(call, text) {
      const roles = rolesOf(call.tool);
      if (roles.readers === 'secret') hasSecret = true;
      (roles.readers === 'public' ? pages : things).push(text);
      if (roles.readers !== 'public') hasThings = true;
      if (roles.result === 'untrusted' && roles !== UNDECLARED) hasOutside = true;
      // Also what is one's own has names in it that others chose.
      isTainted = true;
      if (roles.result === 'own') own.push(namedIn(text));
      const about = argumentsOf(call, roles).filter(({ role }) => role === 'object' || role === 'target');
      const source = [call.tool, ...about.map(({ value }) => shown(value))].join(' ');
      if (!sources.includes(source))
        sources.splice(MAX_SOURCES - 1, 1, ...(sources.length < MAX_SOURCES - 1 ? [source] : ['many']));
      // A page may name any address; a chat or file of others that the owner pointed at is where they meant to look.
      if (
        roles.effect === 'read' &&
        !roles.isWritable &&
        about.length > 0 &&
        about.every(({ value }) => named.has(value))
      )
        for (const url of linksIn(text)) shownUrls.add(urlKey(url));
    },
  };
}

/** Every value by itself, lists and objects taken apart. */
function argumentsOf({ args }: FlowCall, roles: ToolRoles): { name: string; role: Role; value: string }[] {
  return Object.entries(args).flatMap(([name, given]) => {
    const role = Object.hasOwn(roles.args, name) ? (roles.args[name] ?? UNDECLARED_ROLE) : UNDECLARED_ROLE;
    return leavesOf(given).map((value) => ({ name, role, value }));
  });
}

function leavesOf(value: unknown): string[] {
  if (value === null || value === undefined || value === '') return [];
  if (Array.isArray(value)) return value.flatMap(leavesOf);
  if (typeof value === 'object') return Object.entries(value).flatMap(([key, inner]) => [key, ...leavesOf(inner)]);
  return [String(value)];
}

/** A number in a store of one's own says nothing and leads nowhere. */
const isBareId = (value: string): boolean => /^\d{1,6}$/.test(value);
const codeOf = (effect: string): string => effect.toUpperCase().replace('-', '_');
const shown = (value: string): string => (value.length > 80 ? `${value.slice(0, 79)}…` : value);
const allow = (code: string) => ({ decision: 'allow' as const, code, reason: '' });
const ask = (code: string, reason: string, value?: string) => ({
  ...{ decision: 'ask' as const, code, reason },
  ...(value === undefined ? {} : { value }),
});
