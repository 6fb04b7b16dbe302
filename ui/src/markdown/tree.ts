// Owns the shape of parsed Markdown: the only things a message can become. There is no node for raw HTML, and none
// that loads anything.

export type Inline =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'code'; readonly text: string }
  | { readonly type: 'break' }
  | { readonly type: 'em' | 'strong' | 'del'; readonly children: readonly Inline[] }
  /** `misleading`: the words name another host than the address, so the address is shown beside them */
  | {
      readonly type: 'link';
      readonly href: string;
      readonly host: string;
      readonly misleading: boolean;
      readonly children: readonly Inline[];
    }
  /** an address that is not allowed: the words stay, the address is shown as text */
  | { readonly type: 'dead-link'; readonly target: string; readonly children: readonly Inline[] }
  /** never loaded: a link to where it is, or only its description */
  | { readonly type: 'image'; readonly alt: string; readonly href: string | null; readonly host: string };

export type Align = 'left' | 'right' | 'center' | null;
export type ListItem = { readonly task: boolean | null; readonly blocks: readonly Block[] };

export type Block =
  | { readonly type: 'paragraph'; readonly children: readonly Inline[] }
  | { readonly type: 'heading'; readonly level: number; readonly children: readonly Inline[] }
  | { readonly type: 'code'; readonly language: string; readonly text: string; readonly closed: boolean }
  | { readonly type: 'quote'; readonly blocks: readonly Block[] }
  | {
      readonly type: 'list';
      readonly start: number | null;
      readonly tight: boolean;
      readonly items: readonly ListItem[];
    }
  | {
      readonly type: 'table';
      readonly align: readonly Align[];
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly type: 'rule' };

/** What reading one block gives: the block, and the line after it. */
export type Read = { readonly block: Block; readonly next: number };
