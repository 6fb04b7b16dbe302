// Owns the scroll position of a conversation: it stays at the end while the person is there, stays put while they read
// above, and does not jump when older messages are put in front.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

const NEAR_PX = 64;

export type Follow = {
  readonly scroller: { current: HTMLDivElement | null };
  readonly content: { current: HTMLDivElement | null };
  readonly atEnd: boolean;
  toEnd(): void;
  onScroll(): void;
};

/** `firstKey`: key of the first turn; when it changes and the conversation does not, older ones were put in front. */
export function useFollow(sessionKey: string, firstKey: string): Follow {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const [atEnd, setAtEnd] = useState(true);
  const anchor = useRef<{ element: Element; top: number } | null>(null);

  const stick = useCallback((): void => {
    const box = scroller.current;
    if (box && following.current) box.scrollTop = box.scrollHeight;
  }, []);

  const onScroll = useCallback((): void => {
    const box = scroller.current;
    if (!box) return;
    following.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
    setAtEnd(following.current);
    anchor.current = following.current ? null : firstVisible(box, content.current);
  }, []);

  useEffect(() => {
    const [box, inside] = [scroller.current, content.current];
    if (!box || !inside) return;
    const watch = new ResizeObserver(stick);
    watch.observe(inside);
    watch.observe(box);
    return () => watch.disconnect();
  }, [stick]);

  useLayoutEffect(() => {
    following.current = true;
    anchor.current = null;
    setAtEnd(true);
    stick();
  }, [sessionKey, stick]);

  useLayoutEffect(() => {
    const [box, kept] = [scroller.current, anchor.current];
    if (!box || !kept?.element.isConnected) return;
    box.scrollTop += kept.element.getBoundingClientRect().top - kept.top;
  }, [firstKey]);

  return {
    scroller,
    content,
    atEnd,
    onScroll,
    toEnd(): void {
      following.current = true;
      setAtEnd(true);
      stick();
    },
  };
}

function firstVisible(box: HTMLElement, inside: HTMLElement | null): { element: Element; top: number } | null {
  const edge = box.getBoundingClientRect().top;
  for (const element of inside?.querySelectorAll('.turn') ?? []) {
    const rect = element.getBoundingClientRect();
    if (rect.bottom > edge) return { element, top: rect.top };
  }
  return null;
}
