// Owns the rule that a ban must ban something: a name that no tool has protects nobody and looks as if it did. It knows
// names only; what a ban reaches is decided in policy/.
import type { Finding } from '../findings.ts';
import { nearest } from '../shape/nearest.ts';
import { type Rule, risky, wrong } from './rule.ts';

/** Tools and groups of this program and of upstream, by all the names that policy/ understands. */
const NAMES = (
  'read write edit ls exec apply_patch apply-patch bash shell sh process command read_file write_file edit_file ' +
  'browser canvas nodes cron gateway message image image_generate tts pdf session_status sessions_list ' +
  'sessions_history sessions_send sessions_spawn sessions_yield subagents agents_list web_search web_fetch x_search ' +
  'memory_search memory_get code_execution discord slack telegram whatsapp group:fs group:runtime group:shell ' +
  'group:exec group:files group:filesystem group:web group:ui group:sessions group:memory group:automation ' +
  'group:messaging group:nodes group:media group:agents group:openclaw group:plugins'
).split(' ');
const KNOWN: ReadonlySet<string> = new Set(NAMES);

export const toolNames: Rule = function* ({ tools }) {
  for (const name of tools.deny) yield* judge('tools.deny', name);
  for (const [place, rules] of Object.entries(tools.policies))
    for (const [name, rule] of Object.entries(rules ?? {}))
      if (rule !== 'allow') yield* judge(`tools.policies.${place}`, name);
};

function* judge(key: string, written: string): Generator<Finding> {
  const name = written.trim().toLowerCase();
  if (KNOWN.has(name) || /[*?]/.test(name)) return;
  const close = nearest(name, NAMES);
  const message = `${key}: there is no tool "${written}"`;
  // Tools of other programs have names of their own; what is nearly one of ours is a slip.
  if (close !== undefined && Math.abs(close.length - name.length) <= 2)
    yield wrong('tool-unknown', key, `${message}, did you mean "${close}"?`, `write "${close}"`);
  else yield risky('tool-unknown', key, `${message}, so this holds nothing back`, 'openclaw status names the tools');
}
