// Owns finding what eyes do not see in a text: characters without a shape, turned directions, letters of another script in
// the middle of a word. Signs that scripts and emoji need are left alone.
import { DIRECTIONS, UNSEEN } from '../../platform/disguise.ts';

export type Unseen = { readonly index: number; readonly isGrave: boolean; readonly why: string };

const KINDS: readonly (readonly [words: RegExp, isGrave: boolean, why: string])[] = [
  // A flag such as that of Scotland is a black flag with tags and an end.
  [
    /(?<!\u{1f3f4}[\u{e0020}-\u{e007e}]{0,8})[\u{e0000}-\u{e007f}]/u,
    true,
    'text in characters that are not shown (tags)',
  ],
  [/[\u{e0100}-\u{e01ef}]|[\ufe00-\ufe0f]{2}/u, true, 'text in characters that are not shown (variation selectors)'],
  [
    /[\u202a-\u202e\u2066-\u2069]/u,
    true,
    'characters that turn the direction of the text, so that it reads otherwise than it is',
  ],
  [
    new RegExp(String.raw`(?!^\ufeff)(?![${DIRECTIONS}\u2028\u2029\u{e0000}-\u{e007f}])[${UNSEEN}\u180e]`, 'u'),
    false,
    'characters without a width',
  ],
  [
    /[A-Za-z0-9](?:\u200c|\u200d|\u115f|\u1160|\u3164|\uffa0){1,40}[A-Za-z0-9]/u,
    false,
    'characters without a width within a word',
  ],
  [
    /(?<![\p{L}\p{M}])(?=\p{L}{0,40}[A-Za-z])(?=\p{L}{0,40}[а-яёѕіјԁһӏօοαερυχ])[A-Za-zа-яёѕіјԁһӏօοαερυχ]{3,40}(?![\p{L}\p{M}])/u,
    false,
    'letters of another script that look like Latin ones',
  ],
];

export const unseenIn = (text: string): Unseen[] =>
  // One of each kind says enough.
  KINDS.flatMap(([words, isGrave, why]) => {
    const found = words.exec(text);
    return found === null ? [] : [{ index: found.index, isGrave, why }];
  });

/** As it can be shown on one line, with what is not seen spelled out. */
export const spelledOut = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}]|\u115f|\u1160|\u3164|\uffa0|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/gu, (one) =>
    one === '\t' ? ' ' : `\\u{${one.codePointAt(0)?.toString(16)}}`,
  );
