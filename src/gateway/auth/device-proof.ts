// Owns the proof that a peer holds a device key: Ed25519 over the facts of this very connect, bound to our nonce.
// A proof identifies; it is no permission. The order of the checks is the order of upstream's error codes.
import { createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import { sha256 } from '../../platform/ids.ts';
import type { ConnectParams, DeviceClaim } from '../protocol/connect-params.ts';

export type ProofFailure =
  | 'DEVICE_AUTH_DEVICE_ID_MISMATCH'
  | 'DEVICE_AUTH_SIGNATURE_EXPIRED'
  | 'DEVICE_AUTH_NONCE_REQUIRED'
  | 'DEVICE_AUTH_NONCE_MISMATCH'
  | 'DEVICE_AUTH_SIGNATURE_INVALID'
  | 'DEVICE_AUTH_PUBLIC_KEY_INVALID';

export type Challenge = { readonly nonce: string; readonly ts: number };

const MAX_SKEW_MS = 120_000;
const RAW_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** null when the proof holds. */
export function checkDeviceProof(
  device: DeviceClaim,
  connect: Pick<ConnectParams, 'client' | 'role' | 'scopes' | 'auth'>,
  challenge: Challenge,
): ProofFailure | null {
  const raw = base64url(device.publicKey);
  // A key of the wrong length has no id, so no id can be its id.
  if (raw?.length !== RAW_KEY_BYTES) return 'DEVICE_AUTH_DEVICE_ID_MISMATCH';
  if (device.id !== sha256(raw)) return 'DEVICE_AUTH_DEVICE_ID_MISMATCH';
  // Against the challenge and not the clock: a clock that jumps cannot make an old proof young.
  if (Math.abs(device.signedAt - challenge.ts) > MAX_SKEW_MS) return 'DEVICE_AUTH_SIGNATURE_EXPIRED';
  if (!device.nonce) return 'DEVICE_AUTH_NONCE_REQUIRED';
  if (!sameText(device.nonce, challenge.nonce)) return 'DEVICE_AUTH_NONCE_MISMATCH';
  const signature = base64url(device.signature);
  if (signature?.length !== SIGNATURE_BYTES) return 'DEVICE_AUTH_SIGNATURE_INVALID';
  const key = publicKey(raw);
  if (!key) return 'DEVICE_AUTH_PUBLIC_KEY_INVALID';
  const holds = payloads(device, connect).some((payload) => verify(null, Buffer.from(payload), key, signature));
  return holds ? null : 'DEVICE_AUTH_SIGNATURE_INVALID';
}

/** v3 first; v2 is what pages send. */
function payloads(
  device: DeviceClaim,
  { client, role, scopes, auth }: Pick<ConnectParams, 'client' | 'role' | 'scopes' | 'auth'>,
): string[] {
  const token = auth?.token ?? auth?.deviceToken ?? auth?.bootstrapToken ?? '';
  const facts = [device.id, client.id, client.mode, role, scopes.join(','), device.signedAt, token, device.nonce];
  const metadata = [client.platform, client.deviceFamily ?? ''].map((text) => asciiLower(text.trim()));
  return [['v3', ...facts, ...metadata].join('|'), ['v2', ...facts].join('|')];
}

function publicKey(raw: Buffer): KeyObject | null {
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
  } catch {
    return null;
  }
}

function base64url(text: string): Buffer | null {
  return /^[A-Za-z0-9_-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64url') : null;
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

const asciiLower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
