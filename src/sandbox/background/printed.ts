// Owns how what a command printed is shown to the model: as a person would see it in a terminal, without what a terminal
// obeys. Pure, and linear in what it is given.

/**
 * Without colours, cursor movements and other controls, which only cost tokens and can disguise text. No pattern here may
 * look at a character more than a few times: what a command prints is made by whoever the model obeys.
 */
export function plain(text: string): string {
  const shown = text
    .replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)?|[@-_])/g, '')
    .replace(/\r\n/g, '\n')
    .split('\n')
    .map(afterReturn)
    .join('\n')
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '');
  let end = shown.length;
  while (shown[end - 1] === '\n') end -= 1;
  return shown.slice(0, end);
}

/** A terminal writes over what is left of a carriage return. */
const afterReturn = (line: string): string => line.slice(line.lastIndexOf('\r', line.length - 2) + 1);

export const shownSeconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
