// Owns a menu behind a button: the browser's popover (closes on Esc and on a click elsewhere), arrow keys, focus back to
// the button. What the items do is the caller's.
import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icons.tsx';

export type MenuItem = { readonly label: string; readonly run: () => void; readonly danger?: boolean };

export function Menu({
  label,
  icon,
  items,
  tabIndex,
}: {
  label: string;
  icon: IconName;
  items: readonly MenuItem[];
  tabIndex?: number;
}) {
  const popover = usePopover();
  const onKeyDown = (event: KeyboardEvent): void => {
    const entries = [...(popover.box.current?.querySelectorAll('button') ?? [])];
    const at = entries.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key];
    if (event.key === 'Tab') popover.close();
    if (to === undefined) return;
    event.preventDefault();
    entries[(to + entries.length) % entries.length]?.focus();
  };
  return (
    <>
      <button
        {...popover.button}
        type="button"
        class="quiet icon-only"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        tabIndex={tabIndex}
      >
        <Icon name={icon} />
      </button>
      <div {...popover.panel} class="menu" role="menu" aria-label={label} onKeyDown={onKeyDown}>
        {popover.open &&
          items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              class={item.danger ? 'danger' : undefined}
              onClick={() => {
                popover.close();
                item.run();
              }}
            >
              {item.label}
            </button>
          ))}
      </div>
    </>
  );
}

/** A panel with any content behind a button. */
export function Disclosure({
  label,
  face,
  class: name,
  children,
}: {
  label: string;
  face: ComponentChildren;
  class?: string;
  children: () => ComponentChildren;
}) {
  const popover = usePopover();
  return (
    <>
      <button
        {...popover.button}
        type="button"
        class={name ?? 'quiet'}
        aria-label={label}
        title={label}
        aria-expanded={popover.open}
      >
        {face}
      </button>
      <div {...popover.panel} class="panel" role="dialog" aria-label={label}>
        {popover.open && children()}
      </div>
    </>
  );
}

function usePopover() {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const place = (): void => {
    const [at, panel] = [button.current?.getBoundingClientRect(), box.current];
    if (!at || !panel) return;
    const { width, height } = panel.getBoundingClientRect();
    const below = at.bottom + 6 + height <= innerHeight;
    panel.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
    panel.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - height - 6)}px`;
  };
  return {
    open,
    box,
    close: (): void => box.current?.hidePopover(),
    button: { ref: button, popoverTarget: id },
    panel: {
      ref: box,
      id,
      popover: 'auto' as const,
      onToggle: (event: { readonly newState: string }): void => {
        setOpen(event.newState === 'open');
        if (event.newState !== 'open') return;
        // The content is drawn after this event; it is placed and focused once it is there.
        requestAnimationFrame(() =>
          requestAnimationFrame(() => {
            place();
            box.current?.querySelector<HTMLElement>('button, input, select, a')?.focus();
          }),
        );
      },
    },
  };
}
