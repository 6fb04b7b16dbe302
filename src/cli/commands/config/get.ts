// Owns `openclaw config get`: what the running gateway uses, else what the file says. Every secret is hidden.
import { parseKeyPath, showKeyPath } from '../../../config/edit/key-path.ts';
import { type Paths, portFromEnv, resolvePaths } from '../../../config/paths.ts';
import { HardshellError } from '../../../platform/errors.ts';
import { readLiveLock } from '../../../platform/lock.ts';
import type { Context } from '../../context.ts';
import { escapeJson } from '../../print/text.ts';
import { nearestWord } from '../../suggest.ts';
import type { TargetFlags } from '../../target.ts';

export async function run(context: Context, options: TargetFlags, path?: string): Promise<undefined> {
  const { out } = context;
  const config = await readConfig(context, options);
  const value = path === undefined ? config : valueAt(config, path);
  out.data(value);
  out.text(typeof value === 'string' ? `${value}\n` : `${escapeJson(JSON.stringify(value ?? null, null, 2))}\n`);
}

async function readConfig(context: Context, options: TargetFlags): Promise<unknown> {
  const paths = resolvePaths(context.env);
  try {
    const named = options.url ?? options.port ?? portFromEnv(context.env);
    // Without a gateway of this folder, connecting only finds that out, and the client for it is slow to load.
    if (named === undefined && !readLiveLock(paths.lockPath)?.port) return await readFile(context, paths);
    const { ask } = await import('../../connect/with-client.ts');
    const answer = (await ask(context, options, 'operator.read', 'config.get', {})) as { config?: unknown } | null;
    return answer?.config ?? {};
  } catch (error) {
    if (!(error instanceof HardshellError) || error.code !== 'GATEWAY_NOT_RUNNING') throw error;
    return readFile(context, paths);
  }
}

async function readFile(context: Context, paths: Paths): Promise<unknown> {
  const [{ loadConfig, redact }, { openConfig }] = await Promise.all([
    import('../../../config/load.ts'),
    import('./open.ts'),
  ]);
  const { env, resolve } = await openConfig(context.env);
  return redact(loadConfig(paths, env, resolve).config);
}

function valueAt(config: unknown, path: string): unknown {
  let node = config;
  const walked: string[] = [];
  for (const key of parseKeyPath(path)) {
    const object = node !== null && typeof node === 'object' ? (node as Record<string, unknown>) : {};
    if (!Object.hasOwn(object, key)) throw unknownPath(path, walked, key, Object.keys(object));
    node = object[key];
    walked.push(key);
  }
  return node;
}

function unknownPath(path: string, walked: readonly string[], key: string, known: readonly string[]): HardshellError {
  const near = nearestWord(key, known);
  const fix =
    near === undefined
      ? 'openclaw config get   (all there is), or openclaw config schema'
      : `did you mean openclaw config get ${showKeyPath([...walked, near])}?`;
  return new HardshellError({
    code: 'CONFIG_PATH_UNKNOWN',
    message: `the configuration has no value at ${path}`,
    fix,
  });
}
