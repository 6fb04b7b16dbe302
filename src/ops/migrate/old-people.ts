// Owns who was let in before: the stores of approved senders. They stay let in where strangers get a pairing code, and
// nowhere else; nobody gets into a group by it, and nobody becomes everybody.
import { CHANNEL_NAMES, type ChannelName } from '../../config/schema/channels.ts';
import { personOf } from '../../config/shape/people.ts';
import { isObject } from '../../platform/json.ts';
import type { LeftOut } from './left-out.ts';
import type { Tree } from './old-config.ts';

export type People = { readonly key: string; readonly ids: readonly string[] };

const MAX_PEOPLE = 1_000;

/** Puts approved people into the tree, and says whom. */
export function takePeople(
  tree: Tree,
  stores: readonly { readonly name: string; readonly text: string }[],
  left: LeftOut[],
): People[] {
  return stores.flatMap(({ name, text }) => {
    const say = (why: string, loud = false): [] => {
      left.push({ key: `credentials/${name}`, why, loud });
      return [];
    };
    if (name.endsWith('-pairing.json')) return say('requests to be let in run out; whoever waits asks again');
    const [channel, account] = ownerOf(name);
    if (channel === null) return say('there is no such channel here');
    const at = ['channels', channel, ...(account === null ? [] : ['accounts', account])];
    const settings = at.reduce<unknown>((node, key) => childOf(node, key), tree) as Tree | undefined;
    const above = childOf(childOf(tree, 'channels'), channel) as Tree | undefined;
    if (!isObject(settings) || !isObject(above)) return say(`${at.join('.')} is not in the configuration`);
    const policy = settings['dmPolicy'] ?? above['dmPolicy'] ?? 'pairing';
    if (policy !== 'pairing')
      return say(`${at.join('.')}.dmPolicy is ${JSON.stringify(policy)}, which does not ask it`, true);
    const written = read(text);
    if (written === null) return say('it is not a list of senders', true);
    const known = Array.isArray(settings['allowFrom']) ? settings['allowFrom'].map(String) : [];
    const ids: string[] = [];
    for (const entry of written) {
      const person = personOf(channel, entry);
      if (!('id' in person) || person.id.includes('*'))
        say('one entry names no single person, and lets nobody in', true);
      else if (!known.includes(person.id) && !ids.includes(person.id)) ids.push(person.id);
    }
    if (ids.length === 0) return [];
    settings['allowFrom'] = [...known, ...ids];
    return [{ key: `${at.join('.')}.allowFrom`, ids }];
  });
}

/** `telegram-allowFrom.json`, `telegram-work-allowFrom.json`; of the default account the channel itself is the place. */
function ownerOf(name: string): readonly [ChannelName | null, string | null] {
  const whole = name.replace(/-allowFrom\.json$/, '');
  const channel = CHANNEL_NAMES.find((one) => whole === one || whole.startsWith(`${one}-`)) ?? null;
  const account = channel === null ? '' : whole.slice(channel.length + 1);
  return [channel, account === '' || account === 'default' ? null : account];
}

function read(text: string): string[] | null {
  try {
    const value = JSON.parse(text) as unknown;
    const list = Array.isArray(value) ? value : childOf(value, 'allowFrom');
    if (!Array.isArray(list) || list.length > MAX_PEOPLE) return null;
    return list.every((one) => typeof one === 'string' || typeof one === 'number') ? list.map(String) : null;
  } catch {
    return null;
  }
}

const childOf = (node: unknown, key: string): unknown =>
  isObject(node) && Object.hasOwn(node, key) ? node[key] : undefined;
