// Owns the characters by which a text can look like another one. Each list is the inside of a character class, for an
// expression with the flag u or v; what becomes of a character is for each room to say.

/** Turn the text that follows around. */
export const DIRECTIONS = String.raw`\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069`;
/** End a line on a screen, though to a program it goes on. */
export const LINE_ENDS = String.raw`\u2028\u2029`;
/** Joiners have no width either, but scripts and emoji need them. */
export const JOINERS = String.raw`\u200c\u200d`;
/** Letters without a shape. */
export const FILLERS = String.raw`\u115f\u1160\u3164\uffa0`;
/** Not seen, and needed by no script: the above without joiners and fillers, no width, operators, marks and tags. */
export const UNSEEN = String.raw`${DIRECTIONS}${LINE_ENDS}\u200b\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}`;
/** Everything that is for programs and not for eyes; a few scripts lose signs by it. */
export const FORMAT = String.raw`\p{Cf}\p{Zl}\p{Zp}${FILLERS}`;
