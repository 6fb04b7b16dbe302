// Owns `openclaw config get` and `config file`. It reads, and every secret is hidden before it is printed; changing the
// configuration is not done here.
import { existsSync } from 'node:fs';
import { resolvePaths } from '../../config/paths.ts';
import { EXIT, HardshellError } from '../../platform/errors.ts';
import { ask } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import { escapeJson } from '../print/text.ts';
import { nearestWord } from '../suggest.ts';
import type { TargetFlags } from '../target.ts';

export async function get(context: Context, options: TargetFlags, path?: string): Promise<undefined> {
  const { out } = context;
  const config = await readConfig(context, options);
  const value = path === undefined ? config : valueAt(config, path);
  out.data(value);
  out.text(typeof value === 'string' ? `${value}\n` : `${escapeJson(JSON.stringify(value ?? null, null, 2))}\n`);
}

export async function file({ out, env }: Context): Promise<undefined> {
  const { configPath } = resolvePaths(env);
  out.data({ path: configPath, exists: existsSync(configPath) });
  out.line(configPath);
}

/** What the running gateway uses, else what the file says. */
async function readConfig(context: Context, options: TargetFlags): Promise<unknown> {
  try {
    const answer = (await ask(context, options, 'operator.read', 'config.get', {})) as { config?: unknown } | null;
    return answer?.config ?? {};
  } catch (error) {
    if (!(error instanceof HardshellError) || error.code !== 'GATEWAY_NOT_RUNNING') throw error;
    const { loadConfig, redact } = await import('../../config/load.ts');
    return redact(loadConfig(resolvePaths(context.env), context.env).config);
  }
}

function valueAt(config: unknown, path: string): unknown {
  let node = config;
  const walked: string[] = [];
  for (const key of path.split('.')) {
    const object = node !== null && typeof node === 'object' ? (node as Record<string, unknown>) : {};
    if (!Object.hasOwn(object, key)) throw unknownPath(path, walked, key, Object.keys(object));
    node = object[key];
    walked.push(key);
  }
  return node;
}

function unknownPath(path: string, walked: readonly string[], key: string, known: readonly string[]): HardshellError {
  const near = nearestWord(key, known);
  const parent = walked.join('.');
  return new HardshellError({
    code: 'CONFIG_PATH_UNKNOWN',
    message: `the configuration has no value at ${path}`,
    fix:
      near === undefined
        ? `openclaw config get ${parent}`.trim()
        : `did you mean openclaw config get ${[...walked, near].join('.')}?`,
    exitCode: EXIT.failure,
  });
}
