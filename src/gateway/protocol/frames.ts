// Owns the shape of a frame: reading a request, writing responses and events. It must never trust a byte of what it
// reads, and never build a frame out of text that was not serialised as JSON.
import type { WireError } from './errors.ts';

export type Request = { readonly id: string; readonly method: string; readonly params: unknown };

/** `id` is there when the frame can still be answered by an error frame. */
export type BadFrame = { readonly id: string | null; readonly reason: string };

const MAX_ID_CHARS = 256;
const MAX_METHOD_CHARS = 128;
const KEYS = new Set(['type', 'id', 'method', 'params', 'traceparent', 'expectedProfileId']);

export function parseRequest(text: string): Request | BadFrame {
  const frame = parseObject(text);
  if (!frame) return { id: null, reason: 'not a JSON object' };
  const id = boundedText(frame['id'], MAX_ID_CHARS);
  if (frame['type'] !== 'req' || id === null) return { id: null, reason: 'expected a request frame with an id' };
  const method = boundedText(frame['method'], MAX_METHOD_CHARS);
  if (method === null) return { id, reason: 'invalid request frame: at /method: must be text of 1 to 128 characters' };
  const params = frame['params'] ?? {};
  if (typeof params !== 'object' || Array.isArray(params)) {
    return { id, reason: 'invalid request frame: at /params: must be object' };
  }
  for (const key of Object.keys(frame)) {
    if (!KEYS.has(key)) return { id, reason: `invalid request frame: at root: unexpected property '${clip(key)}'` };
  }
  return { id, method, params };
}

export const isBad = (frame: Request | BadFrame): frame is BadFrame => 'reason' in frame;

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

export const answer = (id: string, payload: unknown): string =>
  `{"type":"res","id":${JSON.stringify(id)},"ok":true,"payload":${JSON.stringify(payload) ?? 'null'}}`;

export const refusal = (id: string, error: WireError): string =>
  `{"type":"res","id":${JSON.stringify(id)},"ok":false,"error":${JSON.stringify(error)}}`;

/** An event frame without its end: each connection adds its own `seq`. Serialised once for all of them. */
export type EventHead = string & { readonly __eventHead: true };

export const eventHead = (event: string, payload: unknown, rest?: Readonly<Record<string, unknown>>): EventHead => {
  const extra = rest ? `,${JSON.stringify(rest).slice(1, -1)}` : '';
  return `{"type":"event","event":${JSON.stringify(event)},"payload":${JSON.stringify(payload)}${extra}` as EventHead;
};

export const eventFrame = (head: EventHead, seq: number): string => `${head},"seq":${seq}}`;
export const eventFrameWithoutSeq = (head: EventHead): string => `${head}}`;

/** A close reason is at most 123 bytes; ours are ASCII. */
export const closeReason = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 123);

export const clip = (text: string): string => (text.length > 64 ? `${text.slice(0, 64)}…` : text);

function boundedText(value: unknown, maxChars: number): string | null {
  return typeof value === 'string' && value.length > 0 && value.length <= maxChars ? value : null;
}
