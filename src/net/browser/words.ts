// Owns the words between the gateway and the thread that drives the browser: what may be asked of it and what comes back.
// Data only, so that both sides can be checked against it.

export type FactsKind = 'link' | 'press' | 'field' | 'secret' | 'choice' | 'file';

/** What an element is, by the page as it stands: what is judged, and compared again when it is acted on. */
export type Facts = {
  readonly kind: FactsKind;
  /** the address of the frame that it stands in, which is where an act on it goes */
  readonly page: string;
  /** the address that the owner or policy let through, when this is still a page of that host; else as `page` */
  readonly opened: string;
  /** how the page calls it, in one line */
  readonly element: string;
  /** of a link */
  readonly url: string;
  /** of a form that sends what is filled in to another host */
  readonly to: string;
};

export type Shown = {
  readonly url: string;
  readonly title: string;
  readonly text: string;
  /** characters that are there in all; more than MAX_SNAPSHOT_CHARS are not even counted */
  readonly chars: number;
  /** what happened beside it: dialogs, tabs that opened, a page that does not end */
  readonly notes: readonly string[];
};

export type Ask =
  | { readonly op: 'open'; readonly url: string }
  | { readonly op: 'snapshot'; readonly from: number }
  | { readonly op: 'facts'; readonly ref: string; readonly file: boolean }
  | { readonly op: 'click'; readonly ref: string; readonly facts: Facts }
  | { readonly op: 'fill'; readonly ref: string; readonly text: string; readonly facts: Facts }
  | { readonly op: 'submit'; readonly ref: string; readonly facts: Facts }
  | {
      readonly op: 'upload';
      readonly ref: string;
      readonly name: string;
      readonly bytes: Uint8Array;
      readonly facts: Facts;
    }
  | { readonly op: 'screenshot' }
  | { readonly op: 'download'; readonly url: string }
  | { readonly op: 'tabs'; readonly tab: number }
  | { readonly op: 'close' };

export type Answers = {
  readonly open: Shown;
  readonly snapshot: Shown;
  readonly facts: Facts;
  readonly click: Shown;
  readonly fill: null;
  readonly submit: Shown;
  readonly upload: null;
  readonly screenshot: { readonly bytes: Uint8Array; readonly url: string };
  readonly download: { readonly bytes: Uint8Array; readonly status: number };
  readonly tabs: readonly { readonly url: string; readonly title: string; readonly isCurrent: boolean }[];
  readonly close: null;
};

/** The browser ended, whatever was asked of it. */
export const GONE = 'BROWSER_GONE';
export const MAX_SNAPSHOT_CHARS = 200_000;
export const SHOWN_CHARS = 20_000;
export const MAX_DOWNLOAD_BYTES = 50_000_000;

/** To the thread: bytes of the browser's pipe, or a question; from it the same the other way. */
export type ToThread = { readonly pipe: Uint8Array } | { readonly id: number; readonly ask: Ask };
export type FromThread =
  | { readonly pipe: string }
  | { readonly ready: true }
  | { readonly broken: string }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly code: string; readonly message: string };
