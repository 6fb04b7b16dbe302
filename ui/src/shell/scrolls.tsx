// Owns boxes that scroll by themselves: a keyboard has to reach them, so they take the focus and have a name.
import type { ComponentChildren } from 'preact';

export function Scrolls({
  name,
  class: className,
  children,
}: {
  name: string;
  class: string;
  children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys scroll what has the focus
    <section class={className} aria-label={name} tabIndex={0}>
      {children}
    </section>
  );
}
