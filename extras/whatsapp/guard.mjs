// Owns the checks that the WhatsApp libraries leave out. Baileys 7.0.0-rc14 takes every signature of 64 bytes for good,
// libsignal 6.0.0 skips the one over a contact's key bundle, and neither looks whether the server that answers is the one
// its certificate names. It must be armed before Baileys is imported, and nothing may connect when arming fails.
import { createPublicKey, verify } from 'node:crypto';
import { createRequire } from 'node:module';

const P = 2n ** 255n - 19n;
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_TYPE = 5;

/**
 * XEdDSA over Curve25519 (Signal, "The XEdDSA and VXEdDSA signature schemes", section 2): the Montgomery key is mapped to
 * its Edwards form, whose sign rides in the signature's topmost bit, and checked as Ed25519.
 * @param {Uint8Array} publicKey 32 bytes, or 33 with the type in front
 * @param {Uint8Array} message
 * @param {Uint8Array} signature 64 bytes
 */
export function isSignedBy(publicKey, message, signature) {
  const key = publicKey.length === 33 && publicKey[0] === KEY_TYPE ? publicKey.subarray(1) : publicKey;
  if (key.length !== 32 || signature.length !== 64) return false;
  const u = fromLittleEndian(key) & (2n ** 255n - 1n);
  // u = -1 has no Edwards form.
  if (u >= P || u === P - 1n) return false;
  const y = ((u - 1n) * power(u + 1n, P - 2n)) % P;
  const edwards = toLittleEndian((y + P) % P);
  const plain = Buffer.from(signature);
  const top = plain[63] ?? 0;
  edwards[31] = (edwards[31] ?? 0) | (top & 0x80);
  plain[63] = top & 0x7f;
  try {
    const spki = Buffer.concat([ED25519_SPKI, edwards]);
    return verify(null, message, createPublicKey({ key: spki, format: 'der', type: 'spki' }), plain);
  } catch {
    return false;
  }
}

/** Mends libsignal before anybody imports it, then Baileys. Returns Baileys, or throws. */
export async function armedBaileys() {
  const curve = createRequire(import.meta.url)('libsignal/src/curve.js');
  curve.verifySignature = (
    /** @type {Buffer} */ key,
    /** @type {Buffer} */ message,
    /** @type {Buffer} */ signature,
  ) => {
    if (!isSignedBy(key, message, signature)) throw new Error('a signature does not fit its key');
    return true;
  };
  const baileys = await import('baileys');
  const { Curve, proto, WA_CERT_DETAILS } = baileys;
  Curve.verify = isSignedBy;

  // During the handshake the last key that is agreed with before the certificates are read is the server's own.
  /** @type {Uint8Array | null} */
  let agreedWith = null;
  const agree = Curve.sharedKey;
  Curve.sharedKey = (secret, theirs) => {
    agreedWith = theirs;
    return agree(secret, theirs);
  };
  const decode = proto.CertChain.decode.bind(proto.CertChain);
  const detailsOf = (/** @type {Uint8Array} */ bytes) => proto.CertChain.NoiseCertificate.Details.decode(bytes);
  proto.CertChain.decode = (bytes, length) => {
    const chain = decode(bytes, length);
    const why = whyNotOurs(chain, agreedWith, { root: WA_CERT_DETAILS.PUBLIC_KEY, detailsOf, nowMs: Date.now() });
    if (why !== null) throw new Error(`this is not a WhatsApp server: ${why}`);
    return chain;
  };
  prove(Curve);
  return baileys;
}

/**
 * @param {any} chain @param {Uint8Array | null} serverKey
 * @param {{ root: Uint8Array, detailsOf: (bytes: Uint8Array) => any, nowMs: number }} against
 * @returns {string | null} null when WhatsApp's root vouches for this very server, now
 */
export function whyNotOurs({ intermediate, leaf }, serverKey, { root, detailsOf, nowMs }) {
  if (!leaf?.details || !leaf.signature || !intermediate?.details || !intermediate.signature)
    return 'its certificates are not complete';
  if (!isSignedBy(root, intermediate.details, intermediate.signature))
    return "its intermediate certificate is not signed by WhatsApp's root";
  const [upper, own] = [detailsOf(intermediate.details), detailsOf(leaf.details)];
  if (!upper.key || !isSignedBy(upper.key, leaf.details, leaf.signature))
    return 'its certificate is not signed by the intermediate one';
  if (!own.key || !serverKey || !Buffer.from(own.key).equals(Buffer.from(serverKey)))
    return 'its certificate is for another key';
  for (const { notBefore, notAfter } of [upper, own]) {
    const [fromMs, untilMs] = [Number(notBefore ?? 0) * 1_000, Number(notAfter ?? 0) * 1_000];
    if ((fromMs !== 0 && nowMs < fromMs) || (untilMs !== 0 && nowMs > untilMs))
      return 'a certificate of it is not valid now (is the clock of this machine right?)';
  }
  return null;
}

/** A library update that moves these checks out of reach must not go unnoticed. */
function prove(/** @type {any} */ Curve) {
  const pair = Curve.generateKeyPair();
  const other = Curve.generateKeyPair();
  const message = Buffer.from('checked at every start');
  const signature = Curve.sign(pair.private, message);
  const tampered = Buffer.from(signature);
  tampered[10] = (tampered[10] ?? 0) ^ 1;
  const works =
    Curve.verify(pair.public, message, signature) &&
    !Curve.verify(pair.public, message, tampered) &&
    !Curve.verify(other.public, message, signature);
  if (!works) throw new Error('signatures are not checked as they must be; nothing is connected');
}

/** @param {bigint} base @param {bigint} exponent */
function power(base, exponent) {
  let [result, square] = [1n, base % P];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

/** @param {Uint8Array} bytes */
const fromLittleEndian = (bytes) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
/** @param {bigint} value */
const toLittleEndian = (value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
