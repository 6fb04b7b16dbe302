// Owns the checks of who hears what others said: conversations that several people share. It looks at settings only.
import type { Check } from '../../check.ts';
import { found } from '../../looking.ts';
import { mend } from '../../mend.ts';
import { overIn, whenIs } from '../over.ts';
import { accountsOf } from './accounts.ts';

const over = overIn('Who can talk');

export const CONVERSATION_CHECKS: readonly Check[] = [
  over('channels.dm.scope_main_multiuser', 'Has each person a conversation of their own?', {
    why: 'what one of them says, and what the assistant knows from it, is told to the others',
    rows: ['S089'],
    isMain: true,
    pass: ({ session }) => `Direct chats: ${session.dmScope}`,
    *look(settings, facts) {
      if (settings.session.dmScope !== 'main') return;
      const people = new Set(
        [...accountsOf(settings)].flatMap(({ channel, allowFrom }) => allowFrom.map((id) => `${channel}:${id}`)),
      );
      yield found(
        people.size > 1 ? 'WARNING' : 'INFO',
        `session.dmScope is "main": everybody who is let in shares one conversation`,
        mend(facts, { 'session.dmScope': null }),
      );
    },
  }),
  over('security.trust_model.group_scope_main', 'Has each group a conversation of its own?', {
    why: 'what was said in one group, or to you alone, is known in all of them',
    rows: ['S089'],
    pass: 'Groups: one conversation each',
    look: whenIs('session.groupScope', 'main', 'WARNING'),
  }),
  over('channels.dm.session_collision', 'Is nobody taken for two people at once?', {
    why: 'two people share one conversation because one id stands under both names',
    pass: 'Nobody is taken for two people',
    *look({ session }, facts) {
      const seen = new Map<string, string>();
      for (const [name, ids] of Object.entries(session.identityLinks))
        for (const id of ids) {
          const other = seen.get(id);
          seen.set(id, name);
          if (other === undefined || other === name) continue;
          yield found(
            'WARNING',
            `session.identityLinks has ${id} under "${other}" and under "${name}"`,
            mend(facts, { [`session.identityLinks[${JSON.stringify(name)}]`]: ids.filter((one) => one !== id) }),
            { where: 'session.identityLinks' },
          );
        }
    },
  }),
];
