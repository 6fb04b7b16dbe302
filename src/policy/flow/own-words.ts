// Owns which parts of the owner's message are the owner's own. What is quoted, forwarded or pasted as a block was written
// by somebody else, and vouches for nothing. Linear in the text; it must never keep a line that it is not sure of.

/** Everything from such a line on is a message of somebody else. */
const FORWARDED =
  /^\s*(-{2,}\s*(forwarded|original|weitergeleitete|ursprüngliche)\b|begin forwarded message|on .{4,120} wrote:\s*$|am .{4,120} schrieb .{0,80}:\s*$|from:\s.{1,200}$)/i;
/** Also in the middle of a line, as chats take it; a longer fence is not ended by a shorter one, and one without an end has all. */
const BLOCKS = [/\n?(`{3,20})[\s\S]*?(?:\1`*\n?|$)/g, /(?:^|\n)[ \t]*(~{3,20})[\s\S]*?(?:\n[ \t]*\1~*(?:\n|$)|$)/g];
/** Marks of our own and of others by which text from outside is set off. */
const WRAPPED = /<<<?\/?(external|untrusted|end)/i;

export function ownWords(message: string): string {
  const kept: string[] = [];
  for (const line of message.split(/\r\n|[\n\r\u2028\u2029]/)) {
    if (FORWARDED.test(line.slice(0, 300)) || WRAPPED.test(line)) break;
    if (!/^\s*[>|│]/.test(line)) kept.push(line);
  }
  return BLOCKS.reduce((text, block) => text.replace(block, '\n'), kept.join('\n'));
}
