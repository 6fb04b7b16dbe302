// Owns questions that stop the page: the browser's own modal dialog, which keeps the focus inside and gives it back.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

export function Dialog({
  title,
  onClose,
  wide = false,
  children,
}: {
  title: string;
  onClose: () => void;
  wide?: boolean;
  children: ComponentChildren;
}) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    // Closing gives the focus back to where it was.
    return () => dialog?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the click is on what lies behind; the key for it is Esc
    <dialog
      ref={box}
      class={wide ? 'is-wide' : undefined}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === box.current) onClose();
      }}
    >
      <div class="dialog-body">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

type AskProps = {
  readonly title: string;
  readonly words?: string;
  readonly field?: { readonly label: string; readonly value: string; readonly maxLength: number };
  readonly confirm: string;
  readonly onConfirm: (text: string) => void;
  readonly onCancel: () => void;
};

export function AskDialog({ title, words, field, confirm, onConfirm, onCancel }: AskProps) {
  const [text, setText] = useState(field?.value ?? '');
  return (
    <Dialog title={title} onClose={onCancel}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onConfirm(text.trim());
        }}
      >
        {words && <p>{words}</p>}
        {field && (
          <label class="field">
            <span>{field.label}</span>
            <input
              type="text"
              value={text}
              maxLength={field.maxLength}
              autocomplete="off"
              onFocus={(event) => event.currentTarget.select()}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
        )}
        <div class="dialog-actions">
          <button type="button" class="plain" onClick={onCancel}>
            Cancel
          </button>
          <button type="submit" class="primary">
            {confirm}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
