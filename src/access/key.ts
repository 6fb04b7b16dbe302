// Owns the key that pairing codes are hashed with and held messages are sealed with: 32 random bytes in a file of their own,
// made when they are first needed. It must never make a new one in the place of one that cannot be read.
import { newToken } from '../platform/ids.ts';
import { tryReadSecret, writeSecret } from '../secrets/files.ts';

const NAME = 'pairing-key';

export function openPairingKey(credentialsDir: string): () => Buffer {
  let key: Buffer | undefined;
  return () => {
    if (!key) {
      let text = tryReadSecret(credentialsDir, NAME);
      if (text === null) {
        text = newToken();
        writeSecret(credentialsDir, NAME, text);
      }
      key = Buffer.from(text.trim(), 'hex');
    }
    return key;
  };
}
