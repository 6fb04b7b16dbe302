// Owns what a file really is, by its first bytes. A name and what the sender calls it prove nothing.
import type { Attachment } from './channel.ts';

type Magic = { readonly mimeType: string; readonly extension: string; readonly at?: number; readonly bytes: string };

/** As hex; the first that fits. */
const MAGIC: readonly Magic[] = [
  { mimeType: 'image/png', extension: 'png', bytes: '89504e470d0a1a0a' },
  { mimeType: 'image/jpeg', extension: 'jpg', bytes: 'ffd8ff' },
  { mimeType: 'image/gif', extension: 'gif', bytes: '47494638' },
  { mimeType: 'image/webp', extension: 'webp', at: 8, bytes: '57454250' },
  { mimeType: 'audio/wav', extension: 'wav', at: 8, bytes: '57415645' },
  { mimeType: 'image/heic', extension: 'heic', at: 4, bytes: '6674797068656963' },
  { mimeType: 'audio/mp4', extension: 'm4a', at: 4, bytes: '667479704d344120' },
  { mimeType: 'video/mp4', extension: 'mp4', at: 4, bytes: '66747970' },
  { mimeType: 'audio/ogg', extension: 'ogg', bytes: '4f676753' },
  { mimeType: 'audio/mpeg', extension: 'mp3', bytes: '494433' },
  { mimeType: 'audio/mpeg', extension: 'mp3', bytes: 'fffb' },
  { mimeType: 'audio/flac', extension: 'flac', bytes: '664c6143' },
  { mimeType: 'video/webm', extension: 'webm', bytes: '1a45dfa3' },
  { mimeType: 'application/pdf', extension: 'pdf', bytes: '255044462d' },
  { mimeType: 'application/zip', extension: 'zip', bytes: '504b0304' },
  { mimeType: 'application/gzip', extension: 'gz', bytes: '1f8b' },
  { mimeType: 'application/x-7z-compressed', extension: '7z', bytes: '377abcaf271c' },
  { mimeType: 'application/x-executable', extension: 'bin', bytes: '7f454c46' },
  { mimeType: 'application/x-dosexec', extension: 'bin', bytes: '4d5a' },
  { mimeType: 'text/x-script', extension: 'txt', bytes: '2321' },
];

/** Zip archives with a meaning, told apart by the name, since all of them are archives to whoever opens them. */
const IN_ZIP: Readonly<Record<string, string>> = {
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  odt: 'application/vnd.oasis.opendocument.text',
};
/** Text that may keep its ending: nothing runs it. */
const TEXT_ENDINGS = new Set(['txt', 'md', 'csv', 'json', 'xml', 'yaml', 'yml', 'log', 'tex', 'ics', 'vcf', 'srt']);

export type MediaType = { readonly mimeType: string; readonly extension: string };

/** What its sender calls it, as far as that is a kind that we know. */
export const kindOf = (mimeType: string): Attachment['kind'] =>
  (/^(image|audio|video)\//.exec(mimeType)?.[1] as 'image' | 'audio' | 'video' | undefined) ?? 'file';

export function sniff(bytes: Uint8Array, name: string): MediaType {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 16)).toString('hex');
  const ending = /\.([a-z0-9]{1,5})$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  for (const { mimeType, extension, at = 0, bytes: magic } of MAGIC) {
    if (!head.startsWith(magic, at * 2)) continue;
    const inside = extension === 'zip' && Object.hasOwn(IN_ZIP, ending) ? IN_ZIP[ending] : undefined;
    return inside ? { mimeType: inside, extension: ending } : { mimeType, extension };
  }
  if (!isText(bytes)) return { mimeType: 'application/octet-stream', extension: 'bin' };
  return { mimeType: 'text/plain', extension: TEXT_ENDINGS.has(ending) ? ending : 'txt' };
}

function isText(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 8_192);
  if (head.includes(0)) return false;
  try {
    // A character may be cut at the end of the look.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}
