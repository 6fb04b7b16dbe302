// Owns the folder of evidence: a file for each kind, secrets taken out of all of them, and a manifest with their hashes. It
// only ever writes into a folder that it has made.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HardshellError } from '../../platform/errors.ts';
import { ensureFolder, replaceFile } from '../../platform/files.ts';
import { sha256 } from '../../platform/ids.ts';

export type Evidence = { readonly name: string; readonly text: string };
export type Kept = { readonly folder: string; readonly files: readonly { readonly name: string; readonly sha256: string; readonly bytes: number }[]; readonly manifestSha256: string }; // biome-ignore format: one line

/** `hide` takes out whatever is known to be secret. The hash of the manifest stands for all of it: note it elsewhere. */
export function keepEvidence(
  folder: string,
  evidence: Iterable<Evidence>,
  hide: (text: string) => string,
  about: object,
): Kept {
  if (existsSync(folder))
    throw new HardshellError({
      code: 'FOLDER_EXISTS',
      message: `${folder} is there already; evidence is never mixed`,
      fix: `openclaw incident export --to ${folder}-2`,
    });
  ensureFolder(folder);
  const files: Kept['files'][number][] = [];
  for (const { name, text } of evidence) {
    const hidden = hide(text);
    replaceFile(join(folder, name), hidden);
    files.push({ name, sha256: sha256(hidden), bytes: Buffer.byteLength(hidden) });
  }
  const manifest = `${JSON.stringify({ ...about, files }, null, 2)}\n`;
  replaceFile(join(folder, 'manifest.json'), manifest);
  return { folder, files, manifestSha256: sha256(manifest) };
}
