// Owns the rule that a ban must ban something: a name that no tool has protects nobody and looks as if it did. It knows
// names only; what a ban reaches is decided in policy/.
import type { Finding } from '../findings.ts';
import { CHANNEL_NAMES } from '../schema/channels.ts';
import { CONTEXTS } from '../schema/tools.ts';
import { nearest } from '../shape/nearest.ts';
import { personOf } from '../shape/people.ts';
import { isServerTool, TOOL_WORDS } from '../shape/tool-words.ts';
import { type Rule, risky, wrong } from './rule.ts';

const KNOWN: ReadonlySet<string> = new Set(TOOL_WORDS);

export const toolNames: Rule = function* ({ tools, agents }) {
  for (const name of tools.deny) yield* judge('tools.deny', name);
  for (const name of tools.sandbox.tools.deny) yield* judge('tools.sandbox.tools.deny', name);
  for (const [id, entry] of Object.entries(agents.entries))
    for (const name of entry.tools.deny) yield* judge(`agents.entries.${id}.tools.deny`, name);
  for (const [place, rules] of Object.entries(tools.policies)) {
    yield* judgePlace(place);
    for (const [name, rule] of Object.entries(rules))
      if (rule !== 'allow') yield* judge(`tools.policies.${place}`, name);
  }
};

function* judge(key: string, written: string): Generator<Finding> {
  const name = written.trim().toLowerCase();
  if (KNOWN.has(name) || /[*?]/.test(name) || isServerTool(name)) return;
  const close = nearest(name, TOOL_WORDS);
  const message = `${key}: there is no tool "${written}"`;
  // Tools of other programs have names of their own; what is nearly one of ours is a slip.
  if (close !== undefined && Math.abs(close.length - name.length) <= 2)
    yield wrong('tool-unknown', key, `${message}, did you mean "${close}"?`, `write "${close}"`);
  else
    yield risky('tool-unknown', key, `${message}, so this holds nothing back`, 'openclaw policy explain --tool NAME');
}

/** A rule for a place that no message ever comes from would look as if it protected somebody. */
function* judgePlace(place: string): Generator<Finding> {
  if ((CONTEXTS as readonly string[]).includes(place)) return;
  const key = `tools.policies.${place}`;
  const isSender = place.startsWith('sender:');
  const [channel = '', ...rest] = (isSender ? place.slice('sender:'.length) : place).split(':');
  const known = CHANNEL_NAMES.find((one) => one === channel);
  const id = rest.join(':');
  if (known === undefined && id === '' && !/^[a-z]+$/i.test(channel) && channel !== '') return;
  if (known === undefined) {
    const close = nearest(channel, id === '' && !isSender ? CONTEXTS : CHANNEL_NAMES);
    const guess =
      close === undefined ? '' : `, did you mean "${[isSender ? 'sender' : '', close, id].filter(Boolean).join(':')}"?`;
    yield wrong(
      'policy-place',
      key,
      `${key}: "${place}" is no place and no sender${guess}`,
      `one of ${CONTEXTS.join(', ')}, a chat such as telegram:-100123, or sender:telegram:123`,
    );
  } else if (id === '') {
    yield wrong('policy-place', key, `${key}: "${place}" names no chat`, `write ${place}: and the id of the chat`);
  } else if (isSender) {
    const person = personOf(known, id);
    if (!('id' in person) || person.id === '*')
      yield wrong(
        'policy-place',
        key,
        `${key}: "${id}" ${'why' in person ? person.why : 'is nobody in particular'}, so this holds nobody back`,
        'where' in person ? person.where : 'name one sender, such as sender:telegram:123',
      );
  }
}
