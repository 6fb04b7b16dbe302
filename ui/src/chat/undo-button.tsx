// Owns the button at a turn that may have changed files: it shows what taking that back would do, and does it when asked.
import { useEffect, useState } from 'preact/hooks';
import { useApp } from '../app/context.ts';
import { applyUndo, hasChanges, previewUndo, type UndoPreview } from '../app/undo.ts';
import { Dialog } from '../shell/dialog.tsx';
import { Icon } from '../shell/icons.tsx';
import { Exact, plainLine } from '../shell/visible.tsx';

/** `isSure`: it wrote files; a command may have changed nothing, and then there is nothing to offer. */
export function UndoButton({ turnId, isSure }: { turnId: string; isSure: boolean }) {
  const app = useApp();
  const [offered, setOffered] = useState(isSure);
  useEffect(() => {
    if (!isSure) void hasChanges(app, turnId).then(setOffered);
  }, [turnId, isSure]);
  const [preview, setPreview] = useState<UndoPreview | null>(null);
  const [busy, setBusy] = useState(false);
  const look = async (): Promise<void> => {
    setBusy(true);
    const found = await previewUndo(app, turnId);
    setBusy(false);
    if (found && found.changes.length + found.left.length === 0) app.say('It changed no files.');
    else setPreview(found);
  };
  if (!offered) return null;
  return (
    <>
      <button
        type="button"
        class="quiet icon-only"
        aria-label="Undo its changes to files"
        title="Undo its changes to files"
        disabled={busy}
        onClick={() => void look()}
      >
        <Icon name="undo" size={15} />
      </button>
      {preview && (
        <UndoDialog
          preview={preview}
          onCancel={() => setPreview(null)}
          onConfirm={() => {
            setPreview(null);
            void applyUndo(app, turnId);
          }}
        />
      )}
    </>
  );
}

const WORDS: Readonly<Record<string, string>> = {
  restore: 'as it was',
  recreate: 'brought back',
  remove: 'removed',
};

type DialogProps = { preview: UndoPreview; onConfirm: () => void; onCancel: () => void };

function UndoDialog({ preview: { changes, left }, onConfirm, onCancel }: DialogProps) {
  return (
    <Dialog title="Take back what this turn did to your files?" onClose={onCancel} wide>
      <ul class="undo-list">
        {changes.map((change) => (
          <li key={change.path}>
            <details open={changes.length === 1}>
              <summary>
                <code>{plainLine(change.path)}</code> <span class="muted">{WORDS[change.what] ?? change.what}</span>
              </summary>
              {change.note !== '' && <p class="muted">{plainLine(change.note)}</p>}
              {change.diff !== '' && <Diff text={change.diff} />}
            </details>
          </li>
        ))}
        {left.map(({ path, why }) => (
          <li key={path} class="is-left">
            <code>{plainLine(path)}</code> <span class="muted">left as it is: {plainLine(why)}</span>
          </li>
        ))}
      </ul>
      <div class="dialog-actions">
        <button type="button" class="plain" onClick={onCancel}>
          Cancel
        </button>
        <button type="button" class="primary" disabled={changes.length === 0} onClick={onConfirm}>
          Take back
        </button>
      </div>
    </Dialog>
  );
}

function Diff({ text }: { text: string }) {
  return (
    <pre class="diff">
      {text.split('\n').map((line, at) => (
        <span key={at} class={line.startsWith('+') ? 'is-added' : line.startsWith('-') ? 'is-removed' : undefined}>
          <Exact text={line} />
          {'\n'}
        </span>
      ))}
    </pre>
  );
}
