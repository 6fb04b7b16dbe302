// A WhatsApp server up to the moment that matters: the Noise handshake with a certificate chain of our choosing. It is made
// from Baileys' own parts, so that what it says is what the client understands.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

// biome-ignore lint/suspicious/noExplicitAny: the library is installed by the test and has no types here
type Library = any;
export type KeyPair = { readonly private: Buffer; readonly public: Buffer };
export type Chain = { readonly intermediate: Uint8Array; readonly intermediateSignature: Uint8Array; readonly leaf: Uint8Array; readonly leafSignature: Uint8Array }; // biome-ignore format: four fields

/** A chain for the server key `own`, signed by `root`. */
export function makeChain(
  { proto, Curve }: Library,
  root: KeyPair,
  own: KeyPair,
  times: { notBefore?: number; notAfter?: number } = {},
): Chain {
  // biome-ignore format: one line
  const { Details } = proto.CertChain.NoiseCertificate;
  const upper: KeyPair = Curve.generateKeyPair();
  const intermediate = Details.encode({ serial: 1, issuerSerial: 0, key: upper.public, ...times }).finish();
  const leaf = Details.encode({ serial: 2, issuerSerial: 1, key: own.public, ...times }).finish();
  return {
    intermediate,
    intermediateSignature: Curve.sign(root.private, Buffer.from(intermediate)),
    leaf,
    leafSignature: Curve.sign(upper.private, Buffer.from(leaf)),
  };
}

/** `finished` counts clients that went on after the certificates: they took us for WhatsApp. */
export async function startWhatsappServer(library: Library, chainFor: (own: KeyPair) => Chain) {
  const { makeNoiseHandler, NOISE_WA_HEADER, proto, Curve } = library;
  const quiet: Record<string, unknown> = { level: 'silent', trace() {}, debug() {}, info() {}, warn() {}, error() {} };
  quiet['child'] = () => quiet;
  const own: KeyPair = Curve.generateKeyPair();
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  const seen = { hellos: 0, finished: 0 };
  server.on('connection', (socket) => {
    let buffered = Buffer.alloc(0);
    let said = 0;
    socket.on('message', (data: Buffer) => {
      buffered = Buffer.concat([buffered, data]);
      const skip = said === 0 ? NOISE_WA_HEADER.length : 0;
      if (buffered.length < skip + 3) return;
      const size = buffered.readUIntBE(skip, 3);
      if (buffered.length < skip + 3 + size) return;
      const message = proto.HandshakeMessage.decode(buffered.subarray(skip + 3, skip + 3 + size));
      buffered = buffered.subarray(skip + 3 + size);
      said += 1;
      if (said > 1) {
        seen.finished += 1;
        return;
      }
      seen.hellos += 1;
      const theirs = Buffer.from(message.clientHello.ephemeral);
      const mine: KeyPair = Curve.generateKeyPair();
      const noise = makeNoiseHandler({ keyPair: { private: mine.private, public: theirs }, NOISE_HEADER: NOISE_WA_HEADER, logger: quiet }); // biome-ignore format: one call
      noise.authenticate(mine.public);
      noise.mixIntoKey(Curve.sharedKey(mine.private, theirs));
      const staticKey = noise.encrypt(own.public);
      noise.mixIntoKey(Curve.sharedKey(own.private, theirs));
      const { intermediate, intermediateSignature, leaf, leafSignature } = chainFor(own);
      const chain = { intermediate: { details: intermediate, signature: intermediateSignature }, leaf: { details: leaf, signature: leafSignature } }; // biome-ignore format: one value
      const payload = noise.encrypt(Buffer.from(proto.CertChain.encode(chain).finish()));
      const answer = Buffer.from(proto.HandshakeMessage.encode({ serverHello: { ephemeral: mine.public, static: staticKey, payload } }).finish()); // biome-ignore format: one call
      const head = Buffer.alloc(3);
      head.writeUIntBE(answer.length, 0, 3);
      socket.send(Buffer.concat([head, answer]));
    });
  });
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws/chat`,
    seen,
    own,
    close: async () => {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
