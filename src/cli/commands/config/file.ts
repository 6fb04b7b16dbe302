// Owns `openclaw config file`. The hash is what --base-hash of a change takes.
import { inspectConfig } from '../../../config/inspect.ts';
import { resolvePaths } from '../../../config/paths.ts';
import type { Context } from '../../context.ts';

export async function run({ out, env }: Context): Promise<undefined> {
  const { path, exists, hash } = inspectConfig(resolvePaths(env), env, { sections: [] });
  out.data({ path, exists, hash });
  out.line(path);
}
