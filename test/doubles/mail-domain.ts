// Owns the domains of tests that sign mail: their keys, their DNS, and mails signed by somebody else's signer, so that
// our check is never compared with itself.
import { generateKeyPairSync } from 'node:crypto';
import { dkimSign } from 'mailauth/lib/dkim/sign.js';
import DKIM from 'nodemailer/lib/dkim';
import type { ResolveTxt } from '../../src/channels/mail/dkim.ts';

export type MailLines = {
  readonly from?: string;
  readonly to?: string;
  readonly subject?: string;
  readonly id?: string | null;
  readonly date?: string;
  /** whole lines, in this order, before the empty one */
  readonly more?: readonly string[];
  readonly text?: string;
};

let count = 0;
/** A mail as a person's program writes it; with a Message-ID of its own. */
export function mailOf({ from, to, subject, id, date, more = [], text }: MailLines = {}): Buffer {
  count += 1;
  const lines = [
    `From: ${from ?? 'Ann <ann@friends.example>'}`,
    `To: ${to ?? 'bot@house.example'}`,
    `Subject: ${subject ?? 'hello'}`,
    `Date: ${date ?? new Date().toUTCString()}`,
    ...(id === null ? [] : [`Message-ID: ${id ?? `<mail.${count}.${process.pid}@friends.example>`}`]),
    ...more,
    '',
    ...(text ?? 'Hello there.').split('\n'),
    '',
  ];
  return Buffer.from(lines.join('\r\n'), 'utf8');
}

export type Zone = Map<string, string | Error>;

/** A DNS of TXT records; what is not in it does not exist, and an Error is what it answers. */
export function dnsOf(zone: Zone): ResolveTxt & { readonly asked: string[] } {
  const asked: string[] = [];
  const resolve = async (name: string): Promise<string[][]> => {
    asked.push(name);
    const found = zone.get(name);
    if (found instanceof Error) throw found;
    if (found === undefined) throw Object.assign(new Error(`queryTxt ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
    // Long records come in pieces of 255 characters.
    return [found.match(/.{1,255}/gs) ?? ['']];
  };
  return Object.assign(resolve, { asked });
}

export type Domain = ReturnType<typeof makeDomain>;

export function makeDomain(name: string, zone: Zone, kind: 'rsa' | 'ed25519' = 'rsa', bits = 2048) {
  const selector = `s-${kind}`;
  const { publicKey, privateKey } =
    kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: bits }) : generateKeyPairSync('ed25519');
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const p = (kind === 'rsa' ? der : der.subarray(-32)).toString('base64');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const at = `${selector}._domainkey.${name}`;
  zone.set(at, `v=DKIM1; k=${kind}; p=${p}`);
  return {
    name,
    /** where its key is */
    at,
    key: p,
    /** nodemailer's signer: relaxed/relaxed, RSA */
    async sign(mail: Buffer, headerFieldNames?: string): Promise<Buffer> {
      const names = headerFieldNames === undefined ? {} : { headerFieldNames };
      const signed = new DKIM({ domainName: name, keySelector: selector, privateKey: pem, ...names }).sign(mail);
      const chunks: Buffer[] = [];
      for await (const chunk of signed) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    },
    /** mailauth's signer, which knows every form */
    async signAs(mail: Buffer, options: Record<string, unknown> = {}): Promise<Buffer> {
      const algorithm = `${kind}-sha256`;
      const signatureData = [{ signingDomain: name, selector, privateKey: pem, algorithm, ...options }];
      const result = await dkimSign(mail, { signatureData, ...options } as never);
      return Buffer.concat([Buffer.from(result.signatures), mail]);
    },
  };
}
