// Owns which parts of the owner's message are the owner's own. What is quoted, forwarded or pasted as a block was written
// by somebody else, and vouches for nothing. Linear in the text; it must never keep a line that it is not sure of.

/** Everything from such a line on is a message of somebody else. */
const FORWARDED =
  /^\s*(-{2,}\s*(forwarded|original|weitergeleitete|ursprüngliche)\b|begin forwarded message|on .{4,120} wrote:\s*$|am .{4,120} schrieb .{0,80}:\s*$|from:\s.{1,200}$)/i;
const FENCE = /^\s*(```|~~~)/;
/** Marks of our own and of others by which text from outside is set off. */
const WRAPPED = /<<<?\/?(external|untrusted|end)/i;

export function ownWords(message: string): string {
  const kept: string[] = [];
  let isFenced = false;
  for (const line of message.split(/\r\n|[\n\r\u2028\u2029]/)) {
    if (FENCE.test(line)) {
      isFenced = !isFenced;
      continue;
    }
    if (FORWARDED.test(line.slice(0, 300)) || WRAPPED.test(line)) break;
    if (!isFenced && !/^\s*[>|│]/.test(line)) kept.push(line);
  }
  return kept.join('\n');
}
