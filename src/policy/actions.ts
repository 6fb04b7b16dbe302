// Owns the acts that reach people: what `actions.*` says about a message or a mail, whatever tool sends it (guide 003,
// S209, S210, S215). Pure; that a reply to the chat that asked is no such act is decided here too.
import type { ToolCall } from './decide.ts';
import type { Effect } from './effects.ts';
import type { Verdict } from './verdict.ts';

type Act = { readonly requireConfirmation: boolean; readonly allowedRecipients: readonly string[] };
export type ActionRules = { readonly message: Act; readonly mail: Act };

export function judgeActions(call: ToolCall, effects: readonly Effect[], rules: ActionRules): Verdict[] {
  return effects.flatMap((effect): Verdict[] => {
    if (effect.kind === 'mailbox') return mailboxOf(call);
    if (effect.kind === 'mail') return effect.to.flatMap((to) => judgeMail(call, to, rules.mail));
    if (effect.kind !== 'message' || isOwnChat(call, effect.to)) return [];
    if (call.speaker.principal.kind !== 'owner') return [elsewhere(effect.to)];
    return reach('message', effect.to, rules.message, 'actions.message');
  });
}

/** '' is the chat that the message came from. Nobody there learns what they could not have been told in the answer. */
export const isOwnChat = ({ speaker: { channel, account, chat } }: ToolCall, to: string): boolean =>
  to === '' || to === `${channel}:${account}:${chat}`;

/** Mail is the owner's own, and nothing for others to read along. */
function mailboxOf({ speaker: { principal, place } }: ToolCall): Verdict[] {
  if (principal.kind === 'owner' && place === 'dm') return [];
  const reason = 'the mailbox is looked into for the owner alone, in a direct chat';
  return [{ rule: 'deny', key: 'built in', code: 'NOT_YOUR_MAIL', reason, fix: '' }];
}

function judgeMail(call: ToolCall, to: string, rules: Act): Verdict[] {
  if (call.speaker.principal.kind !== 'owner') return [elsewhere(to)];
  return reach('mail', to, rules, 'actions.email');
}

function reach(kind: 'message' | 'mail', to: string, rules: Act, key: string): Verdict[] {
  const isListed = rules.allowedRecipients.some((entry) => matches(entry, to));
  if (rules.allowedRecipients.length > 0 && !isListed)
    return [
      {
        rule: 'deny',
        key: `${key}.allowedRecipients`,
        code: 'RECIPIENT_NOT_LISTED',
        reason: `${to} is not among the recipients that the owner allows (${key}.allowedRecipients)`,
        fix: `openclaw config get ${key}.allowedRecipients`,
        marks: [to],
      },
    ];
  if (!rules.requireConfirmation) return [];
  return [
    {
      rule: 'ask',
      key: `${key}.requireConfirmation`,
      code: 'REACHES_PEOPLE',
      reason: kind === 'mail' ? `a mail to ${to} leaves this machine` : `a message to ${to} leaves this conversation`,
      fix: `openclaw config set ${key}.requireConfirmation false`,
      marks: [to],
      always: { kind, pattern: to, shown: `any ${kind} to ${to}` },
    },
  ];
}

const elsewhere = (to: string): Verdict => ({
  rule: 'deny',
  key: 'built in',
  code: 'NOT_YOUR_CHAT',
  reason: `whoever is not the owner can have nothing sent to ${to}, only to their own chat`,
  fix: '',
  marks: [to],
});

/** An address or a chat as it is written in the settings: whole, without its account, or `*@domain`. Case does not count. */
function matches(entry: string, to: string): boolean {
  const [want, have] = [entry.trim().toLowerCase(), to.toLowerCase()];
  if (want.startsWith('*@')) return have.endsWith(want.slice(1)) && have.indexOf('@') === have.length - want.length + 1;
  return want === have || want === have.replace(/^([^:]*):[^:]*:/, '$1:');
}
