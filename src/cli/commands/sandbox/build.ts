// Owns `openclaw sandbox build`: the image that docker or podman run commands in, made here and from what is installed.
import { misused } from '../../../platform/errors.ts';
import { buildImage } from '../../../sandbox/container/image.ts';
import type { Context } from '../../context.ts';
import { openLocal } from './local.ts';

export async function run({ out, env: given }: Context, options: { readonly engine?: string }): Promise<undefined> {
  const { config, env } = openLocal(given);
  const { backend, docker } = config.agents.defaults.sandbox;
  const engine = options.engine ?? (backend === 'podman' ? 'podman' : 'docker');
  if (engine !== 'docker' && engine !== 'podman')
    throw misused('USAGE', `"${engine.slice(0, 40)}" is no container engine`, 'docker or podman');
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
