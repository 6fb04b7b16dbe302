// Owns the vocabulary of effects: what a tool call would do, as data. Policy decides on these, never on tool names.

/** Paths are as `tools/paths.ts` spells them: relative to the workspace, or absolute below an allowed folder. */
export type Effect =
  | { readonly kind: 'read'; readonly path: string }
  | { readonly kind: 'write'; readonly path: string }
  /** `command` is bash's text; `cwd` relative to the workspace */
  | {
      readonly kind: 'run';
      readonly command: string;
      readonly cwd: string;
      readonly where: 'sandbox' | 'host';
      /** asked to leave the box for this one command (tools.elevated) */
      readonly elevated?: true;
    }
  /** feeds or ends a process that an earlier, permitted `run` started; `input` is '' for its end */
  | { readonly kind: 'process'; readonly id: string; readonly input: string }
  /** words to a person or a group; `to` is channel:account:chat */
  | { readonly kind: 'message'; readonly to: string; readonly text: string }
  /** leaves this machine for that address, with all that stands in it */
  | { readonly kind: 'fetch'; readonly url: string }
  /** in the browser, which may be logged in: goes to that address, or acts on an element of a page that stands there */
  | {
      readonly kind: 'browse';
      readonly act: 'open' | 'click' | 'fill' | 'submit' | 'upload';
      readonly url: string;
      /** what the page calls it */
      readonly what: string;
    }
  /** leaves it for the search service of the settings */
  | { readonly kind: 'search'; readonly query: string }
  /** looks into the owner's mailbox, or keeps a draft; nothing leaves */
  | { readonly kind: 'mailbox'; readonly act: 'search' | 'read' | 'draft' }
  | { readonly kind: 'mail'; readonly to: readonly string[]; readonly text: string }
  /** a tool of an MCP server, by the name that the server gives it; `files`: what may name a file of the workspace to it */
  | { readonly kind: 'call'; readonly server: string; readonly tool: string; readonly files?: readonly string[] };
