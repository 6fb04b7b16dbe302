// Owns the layers of tool policy, in their order: each says allow, ask or deny about one tool, and none can take back what
// another one holds. Pure, and cheap: it is asked about every tool on every turn.
import { showKeyPath } from '../../config/edit/key-path.ts';
import { GROUPS, isServerTool } from '../../config/shape/tool-words.ts';
import { deniedBy, heldWith, isCommand, isMutating, likeOf, membersOf, specificity } from './names.ts';
import {
  type Asking,
  type Box,
  GUEST_PASS,
  type Layer,
  OPEN_BOX,
  type Rule,
  type Say,
  type ToolRules,
} from './rules.ts';

const { 'group:messaging': MESSAGING = [], 'group:nodes': NODES = [] } = GROUPS;
/** What one line of shell may do is judged by the line itself (shell/judge.ts), not by the tool's name. */
const JUDGED = ['ask', 'allowlist'];
/** A rule for direct chats speaks of the owner's own; these are never another person's by it (S254). */
const OWNERS_OWN = ['exec', 'process', 'browser', 'cron', 'nodes'];

/** Every layer's say, also of those that have nothing to object. */
export function layersOf(name: string, rules: ToolRules, asking: Asking): readonly Say[] {
  const { agentId = 'main', box = OPEN_BOX } = asking;
  const commandsWrite = !box.isBoxed || box.access === 'rw';
  const held = heldWith(name, commandsWrite);
  const says: Say[] = [
    profileSay(name, rules, asking),
    listsSay('global', name, held, rules, 'tools', 'the settings for everybody'),
    execSay(name, rules),
    listsSay(
      'agent',
      name,
      held,
      agentOf(rules, agentId),
      `agents.entries.${agentId}.tools`,
      `the settings of the agent ${agentId}`,
    ),
    mapSay('context', name, held, rules, placesOf(asking), asking.place),
    ...mapsSay('chat', name, held, rules, chatKeys(asking)),
    ...mapsSay('sender', name, held, rules, senderKeys(asking)),
  ];
  const { principal } = asking;
  if (principal.kind !== 'owner' && principal.limits)
    says.push(
      principal.limits.tools.some((entry) => isNamedBy(entry, name))
        ? yes('guest', GUEST_PASS, `their guest pass names ${name}`)
        : no(
            'guest',
            GUEST_PASS,
            `their guest pass does not name ${name}`,
            'openclaw pairing invite --tools TOOLS --folder FOLDER   (a new pass)',
          ),
    );
  if (box.isBoxed) says.push(boxSay(name, held, rules, box));
  return says;
}

/** The strictest say; the first of several that are as strict. */
export function strictestSay(says: readonly Say[]): Say {
  const found = says.find(({ rule }) => rule === 'deny') ?? says.find(({ rule }) => rule === 'ask') ?? says[0];
  if (!found) throw new Error('a tool that no layer was asked about');
  return found;
}

function profileSay(name: string, rules: ToolRules, asking: Asking): Say {
  const key = 'tools.profile';
  const { profile } = rules;
  const isOwner = asking.principal.kind === 'owner';
  if (!isIn(profile ?? 'coding', name) && !(profile === undefined && !isOwner))
    return no(
      'profile',
      key,
      `the profile "${profile ?? 'coding'}" does not have ${name}`,
      `openclaw config set ${key} ${isIn('coding', name) ? 'coding' : 'full'}`,
    );
  if (isOwner) return yes('profile', key, `the profile "${profile ?? 'coding'}" has ${name}`);
  // A pass is a word of the owner about this person; the layer of guests says which tools it names.
  if (asking.principal.limits) return yes('profile', GUEST_PASS, 'their guest pass says which tools they have');
  if (MESSAGING.includes(name)) return yes('profile', key, 'the profile "messaging", which others have, has it');
  const place = `tools.policies.${asking.place}`;
  const isOwnersOwn = asking.place === 'dm' && OWNERS_OWN.includes(name);
  const isNamed = Object.entries(rules.policies[asking.place] ?? {}).some(
    ([entry, rule]) => rule !== 'deny' && entry !== '*' && membersOf(entry, name).includes(name),
  );
  if (isNamed && !isOwnersOwn) return yes('profile', place, `a rule for this place names ${name}`);
  return no(
    'profile',
    place,
    isOwnersOwn
      ? `in direct chats ${name} is yours alone, whatever the rules for them say`
      : `whoever is not the owner may only send messages here, unless a guest pass or a rule for this place names ${name}`,
    isOwnersOwn
      ? 'openclaw pairing invite --tools TOOLS --folder FOLDER   (a guest pass)'
      : `openclaw config set ${place}.${name} allow`,
  );
}

/** In `coding` is all that works on this machine and on the web; devices of yours are in `full`. */
function isIn(profile: NonNullable<ToolRules['profile']>, name: string): boolean {
  if (profile === 'full') return true;
  if (profile === 'minimal') return false;
  if (profile === 'messaging') return MESSAGING.includes(name);
  // A tool of a server is there because the owner added the server and approved the tool.
  return (!NODES.includes(name) && CODING.has(name)) || isServerTool(name);
}
const CODING: ReadonlySet<string> = new Set(Object.values(GROUPS).flat());

const agentOf = ({ agents = {} }: ToolRules, id: string): Lists =>
  Object.hasOwn(agents, id) ? agents[id]?.tools : undefined;

/** A pass for everything is one for our tools; those of servers have to be named. */
const isNamedBy = (entry: string, name: string): boolean => membersOf(entry, entry === '*' ? '' : name).includes(name);

type Lists = { readonly allow?: readonly string[] | undefined; readonly deny: readonly string[] } | undefined;

function listsSay(layer: Layer, name: string, held: readonly string[], lists: Lists, at: string, who: string): Say {
  if (!lists) return yes(layer, at, `${who} say nothing`);
  const hits = lists.deny.filter((entry) => deniedBy(entry, name).some((one) => held.includes(one)));
  const [first] = hits;
  if (first !== undefined)
    return no(
      layer,
      `${at}.deny`,
      `${quoted(first)} is denied${also(name, deniedBy(first, name))}`,
      setList(
        `${at}.deny`,
        lists.deny.filter((one) => !hits.includes(one)),
      ),
    );
  // An empty list is what is left of two that have nothing in common; it allows nothing.
  if (lists.allow && !lists.allow.some((entry) => membersOf(entry, name).includes(name)))
    return no(
      layer,
      `${at}.allow`,
      `only ${lists.allow.join(', ') || 'nothing'} is allowed`,
      setList(`${at}.allow`, [...lists.allow, name]),
    );
  return lists.allow
    ? yes(layer, `${at}.allow`, `${name} is in the list`)
    : yes(layer, at, `${who} hold nothing of it back`);
}

function execSay(name: string, { exec }: ToolRules): Say {
  const key = 'tools.exec.mode';
  const mode = exec.mode ?? 'full';
  if (!isCommand(name)) return yes('exec', key, 'it is no command');
  if (mode === 'deny') return no('exec', key, 'commands are switched off', `openclaw config set ${key} ask`);
  if (JUDGED.includes(mode)) return yes('exec', key, `mode "${mode}": each command is judged by what it says`);
  return yes('exec', key, 'commands run inside the box');
}

type Found = { readonly rule: Rule; readonly where: string; readonly entry: string };

/** The first of the places that says anything about the tool; the place's own rule before the one for everywhere. */
function ruleFor(name: string, rules: ToolRules, places: readonly string[]): Found | null {
  for (const where of places) {
    let best: Found | null = null;
    for (const [entry, rule] of Object.entries(rules.policies[where] ?? {})) {
      if (entry !== '*' && !(rule === 'allow' ? membersOf(entry, name) : deniedBy(entry, name)).includes(name))
        continue;
      const more = best === null ? 1 : specificity(entry) - specificity(best.entry);
      if (more > 0 || (more === 0 && best !== null && strictness(rule) > strictness(best.rule)))
        best = { rule, where, entry };
    }
    if (best) return best;
  }
  return null;
}
const strictness = (rule: Rule): number => (rule === 'deny' ? 2 : rule === 'ask' ? 1 : 0);

/** What these rules say about the tool, and about each whose ban must hold for it as well. */
function mapSay(
  layer: Layer,
  name: string,
  held: readonly string[],
  rules: ToolRules,
  places: readonly string[],
  opensAt: string,
): Say {
  const own = ruleFor(name, rules, places);
  let found = own;
  let about = name;
  for (const other of held) {
    if (other === name) continue;
    const its = ruleFor(other, rules, places);
    // A rule for everything is not about writing, so it holds only for what has no rule of its own.
    if (!its || its.entry === '*' || its.rule === 'allow') continue;
    if (its.rule === 'ask' && !likeOf(name).includes(other)) continue;
    if (found && strictness(its.rule) <= strictness(found.rule)) continue;
    found = its;
    about = other;
  }
  if (!found) return yes(layer, showKeyPath(['tools', 'policies', opensAt]), 'no rule for it here');
  const key = showKeyPath(['tools', 'policies', found.where, found.entry]);
  if (found.rule === 'allow') return yes(layer, key, `${quoted(found.entry)} is allowed here`);
  const said = found.rule === 'deny' ? 'denied' : 'asked about';
  const why = `${quoted(found.entry)} is ${said} ${found.where === '*' ? 'everywhere' : 'here'}`;
  // Beside a rule of the same weight another one would open nothing: that one itself must change.
  const target = found.where === opensAt && specificity(found.entry) === 2 ? found.entry : about;
  const fix = `openclaw config set ${typed(['tools', 'policies', opensAt, target])} allow`;
  return { layer, rule: found.rule, key, why: about === name ? why : why + also(name, [about]), fix };
}

/** Rules for one chat or one sender, each by itself: all of them hold. */
function mapsSay(
  layer: Layer,
  name: string,
  held: readonly string[],
  rules: ToolRules,
  keys: ReadonlySet<string>,
): readonly Say[] {
  if (keys.size === 0) return NOTHING;
  // Whoever wrote an id in another case meant the same chat; a rule for it can only hold back.
  const written = Object.keys(rules.policies).filter((key) => keys.has(key.trim().toLowerCase()));
  return written.map((key) => mapSay(layer, name, held, rules, [key], key));
}
const NOTHING: readonly Say[] = [];

function boxSay(name: string, held: readonly string[], rules: ToolRules, { access, key }: Box): Say {
  if (access === 'ro' && isMutating(name)) {
    const at = key ?? 'agents.defaults.sandbox.workspaceAccess';
    return no('sandbox', at, 'the box sees the workspace, and cannot change it', `openclaw config set ${at} rw`);
  }
  return listsSay(
    'sandbox',
    name,
    held,
    rules.sandbox?.tools,
    'tools.sandbox.tools',
    'the settings for boxed conversations',
  );
}

const PLACES = { dm: ['dm', '*'], group: ['group', '*'], channel: ['channel', '*'] } as const;
const placesOf = ({ place }: Asking): readonly string[] => PLACES[place];

function chatKeys({ channel, account, chat }: Asking): ReadonlySet<string> {
  if (!chat || chat in PLACES) return NONE;
  return new Set([chat, `${channel}:${chat}`, `${channel}:${account}:${chat}`].map((key) => key.toLowerCase()));
}
function senderKeys({ channel, account, sender }: Asking): ReadonlySet<string> {
  if (!sender) return NONE;
  const ids = [sender, `${channel}:${sender}`, `${channel}:${account}:${sender}`];
  return new Set(ids.map((key) => `sender:${key}`.toLowerCase()));
}
const NONE: ReadonlySet<string> = new Set();

/** Why a rule about one tool holds for another. */
function also(name: string, denied: readonly string[]): string {
  if (denied.includes(name)) return '';
  if (isMutating(name)) return `, and ${name} changes files as well`;
  if (name === 'process' && denied.includes('exec')) return ', and a process is a command';
  return `, and with ${name} files could be changed all the same (agents.defaults.sandbox.workspaceAccess "ro" would keep both)`;
}

const setList = (key: string, list: readonly string[]): string =>
  `openclaw config set ${key} '${JSON.stringify(list).replaceAll("'", '\\u0027')}'`;
/** A path as a shell takes it. */
function typed(path: readonly string[]): string {
  const key = showKeyPath(path);
  return /^[\w.:@+-]+$/.test(key) ? key : `'${key.replaceAll("'", '')}'`;
}
const quoted = (entry: string): string => JSON.stringify(entry.slice(0, 60));

const yes = (layer: Layer, key: string, why: string): Say => ({ layer, rule: 'allow', key, why, fix: '' });
const no = (layer: Layer, key: string, why: string, fix: string): Say => ({ layer, rule: 'deny', key, why, fix });
