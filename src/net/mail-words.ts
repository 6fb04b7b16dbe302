// Owns what those who read mail and those who write it mean alike: a plain address, by one strict grammar, and what is found
// in a mailbox. It must never take an address that two readers could understand differently.

const ADDRESS =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** In lower case, or null; no comments, no quoted local parts, no domain literals. */
export function addressOf(text: string): string | null {
  const address = text.toLowerCase();
  return address.length <= 254 && ADDRESS.test(address) ? address : null;
}

export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);

/** What a search of a mailbox asks for. */
export type MailQuery = {
  readonly text: string;
  readonly from: string;
  /** 0: from the beginning */
  readonly sinceMs: number;
  readonly limit: number;
};
/** `id` is good for `read` in the same mailbox; `from` is what the mail claims, and '' when it has no one sender. */
export type MailFound = {
  readonly id: string;
  readonly from: string;
  readonly subject: string;
  readonly arrivedAtMs: number;
  readonly files: number;
};
export type MailRead = MailFound & {
  /** whether the domain of the sender has signed it, and if not, why not */
  readonly isVerified: boolean;
  readonly because: string;
  readonly messageId: string | null;
  readonly text: string;
  /** what others wrote, as the sender shows it */
  readonly quoted: string;
  readonly attachments: readonly {
    readonly name: string;
    readonly mimeType: string;
    readonly sizeBytes: number | null;
  }[];
};
/** A mailbox beside the messages that arrive: it is only read. Both throw an Error in words. */
export type MailReader = {
  search(query: MailQuery, signal: AbortSignal): Promise<readonly MailFound[]>;
  read(id: string, signal: AbortSignal): Promise<MailRead>;
};
