// Owns copying to the clipboard and saying that it was done. Outside of secure contexts there is no clipboard API, so an
// old way is kept for gateways that are reached over plain http.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icons.tsx';

export function CopyButton({ text, label }: { text: () => string; label: string }) {
  const [done, setDone] = useState<'yes' | 'no' | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async (): Promise<void> => {
    setDone((await copyText(text())) ? 'yes' : 'no');
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setDone(null), 1_600);
  };
  const words = done === 'yes' ? 'Copied' : done === 'no' ? 'Not copied' : label;
  return (
    <button type="button" class="quiet small" onClick={() => void copy()} aria-label={words} title={words}>
      <Icon name={done === 'yes' ? 'check' : done === 'no' ? 'cross' : 'copy'} size={15} />
    </button>
  );
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  const focused = document.activeElement;
  area.value = text;
  area.className = 'offscreen';
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return copied;
}
