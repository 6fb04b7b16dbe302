// Owns what can be done to one session: from its row and from the head of the conversation alike.
import { useState } from 'preact/hooks';
import { useApp, useAppState } from '../app/context.ts';
import { cleanSession, deleteSession, patchSession, resetSession } from '../app/sessions.ts';
import { nameOf } from '../app/state.ts';
import type { SessionRow } from '../protocol/rows.ts';
import { AskDialog } from '../shell/dialog.tsx';
import { Menu } from '../shell/menu.tsx';
import { plainLine } from '../shell/visible.tsx';

export function SessionMenu({ row, tabIndex }: { row: SessionRow; tabIndex?: number }) {
  const app = useApp();
  const [asking, setAsking] = useState<'name' | 'reset' | null>(null);
  const name = useAppState((s) => plainLine(nameOf(s, row.key)));
  const done = (): void => setAsking(null);
  return (
    <span class="session-menu">
      <Menu
        label={`Actions for ${name}`}
        icon="more"
        {...(tabIndex === undefined ? {} : { tabIndex })}
        items={[
          { label: 'Rename', run: () => setAsking('name') },
          { label: row.pinned ? 'Unpin' : 'Pin', run: () => void patchSession(app, row.key, { pinned: !row.pinned }) },
          {
            label: row.archived ? 'Take out of the archive' : 'Archive',
            run: () => void patchSession(app, row.key, { archived: !row.archived }),
          },
          { label: 'Start afresh', run: () => setAsking('reset') },
          { label: 'Continue without outside text', run: () => void cleanSession(app, row.key) },
          { label: 'Delete', danger: true, run: () => deleteSession(app, row.key) },
        ]}
      />
      {asking === 'name' && (
        <AskDialog
          title="Rename session"
          field={{ label: 'Name', value: row.label || row.title, maxLength: 120 }}
          confirm="Rename"
          onCancel={done}
          onConfirm={(label) => {
            done();
            void patchSession(app, row.key, { label: label === '' ? null : label });
          }}
        />
      )}
      {asking === 'reset' && (
        <AskDialog
          title="Start this session afresh?"
          words="The assistant will no longer see what was said here. The old transcript is kept on the gateway."
          confirm="Start afresh"
          onCancel={done}
          onConfirm={() => {
            done();
            void resetSession(app, row.key);
          }}
        />
      )}
    </span>
  );
}
