// Owns what the checks look at: the installation as doctor sees it, and of a broken configuration all that is understood
// of it. It reads, makes nothing, and throws for nothing that a file can say.

import type { Env } from '../config/paths.ts';
import { readBeyond } from '../config/shape/beyond.ts';
import { gatherFacts, inspectQuietly } from '../ops/doctor/facts.ts';
import type { Facts } from './check.ts';

export async function gatherAuditFacts(env: Env, options: Parameters<typeof gatherFacts>[1]): Promise<Facts> {
  const facts = await gatherFacts(env, options);
  // A .env that nobody may read stops a start; the settings beside it are looked at all the same.
  const inspection = facts.inspection ?? (await inspectQuietly(facts.paths, env).catch(() => null));
  if (inspection === null || inspection.config === null)
    return { ...facts, inspection, settings: null, said: inspection?.findings ?? [] };
  return {
    ...facts,
    inspection,
    ...(await readBeyond(inspection, (text) => inspectQuietly(facts.paths, inspection.env, text))),
  };
}
