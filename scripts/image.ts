// Owns the gateway's own image: the package as it would be published, the Node that it brings, and deploy/Dockerfile, on a
// base made of packages of this machine. It must never put a file of the repository in that the package would not have.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { EngineOptions } from '../src/sandbox/container/engine.ts';
import { DEFAULT_IMAGE } from '../src/sandbox/container/engine.ts';
import { buildImage } from '../src/sandbox/container/image.ts';
import { stage } from './pack.ts';

const REPO = join(import.meta.dirname, '..');
const OPENCLAW = '#!/bin/sh\nexec /usr/bin/node /opt/hardshell/bin/openclaw.cjs "$@"\n';
/** The first start keeps the workspace apart from the state, where the volume of the guides is. */
const START = `#!/bin/sh
set -e
if [ "$1 $2" = "gateway run" ] && [ ! -e "$HOME/.openclaw/openclaw.json" ]; then
  openclaw config set agents.defaults.workspace /workspace >/dev/null
fi
exec openclaw "$@"
`;

export async function buildGatewayImage(
  engine: EngineOptions & { readonly client: readonly string[] },
  image: string,
): Promise<void> {
  await buildImage({ ...engine, onProgress: console.log });
  const context = mkdtempSync(join(tmpdir(), 'hardshell-image-'));
  try {
    renameSync(stage(), join(context, 'package'));
    // Both were made for nobody else to look into.
    chmodSync(join(context, 'package'), 0o755);
    cpSync(process.execPath, join(context, 'node'));
    mkdirSync(join(context, 'state'));
    for (const [name, text] of [
      ['openclaw', OPENCLAW],
      ['start-openclaw', START],
    ] as const) {
      writeFileSync(join(context, name), text);
      chmodSync(join(context, name), 0o755);
    }
    const [program = '', ...words] = engine.client;
    const recipe = join(REPO, 'deploy', 'Dockerfile');
    const args = ['build', '--build-arg', `BASE=${DEFAULT_IMAGE}`, '--tag', image, '--file', recipe, context];
    const built = spawnSync(program, [...words, ...args], {
      encoding: 'utf8',
      env: { ...process.env, DOCKER_BUILDKIT: '0' },
    });
    if (built.status !== 0) throw new Error(`${engine.engine} build failed: ${built.stderr.trim() || built.error}`);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { engine: { type: 'string', default: 'docker' }, image: { type: 'string', default: 'openclaw' } },
  });
  const engine = values.engine === 'podman' ? 'podman' : 'docker';
  await buildGatewayImage({ engine, client: [`/usr/bin/${engine}`] }, values.image);
  console.log(`${values.image} is there: ${engine} run … (see docs/docker.md)`);
}
