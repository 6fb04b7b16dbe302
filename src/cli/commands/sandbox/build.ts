// Owns `openclaw sandbox build`: the image that docker or podman run commands in, made here and from what is installed.
import { EXIT, HardshellError } from '../../../platform/errors.ts';
import { buildImage } from '../../../sandbox/container/image.ts';
import type { Context } from '../../context.ts';
import { openLocal } from './local.ts';

export async function run({ out, env: given }: Context, options: { readonly engine?: string }): Promise<undefined> {
  const { config, env } = openLocal(given);
  const { backend, docker } = config.agents.defaults.sandbox;
  const engine = options.engine ?? (backend === 'podman' ? 'podman' : 'docker');
  if (engine !== 'docker' && engine !== 'podman')
    throw new HardshellError({
      code: 'USAGE',
      message: `"${engine.slice(0, 40)}" is no container engine`,
      fix: 'docker or podman',
      exitCode: EXIT.usage,
    });
  const built = await buildImage({
    engine,
    image: docker.image,
    env: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
    onProgress: (line) => out.note(line),
  });
  out.data(built);
  out.line(`built ${built.image}: ${built.files} files, ${Math.round(built.bytes / 1_000_000)} MB`);
}
