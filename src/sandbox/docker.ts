// Owns the driver that runs commands in a container of docker or podman: one container a sandbox, a runner inside as its
// process 1, and every limit asked for proved from inside. It must never ask for a right, a device or a network, and
// never use a container whose proof fails.
import { openRoot } from '../platform/root.ts';
import { keepBox } from './container/box.ts';
import { DEFAULT_IMAGE, type EngineOptions, findEngine } from './container/engine.ts';
import { removeLeftovers } from './container/leftovers.ts';
import { proofOf } from './container/proof.ts';
import { DEFAULT_LIMITS, type SandboxDriver, type SandboxSpec } from './driver.ts';
import { openBox, probeBy } from './session.ts';
import { layoutFor } from './walls/layout.ts';
import { workspaceOwner } from './workspace.ts';

export type ContainerOptions = Omit<EngineOptions, 'engine'> & {
  /** For tests alone, where no engine can hold limits: those of each command remain, as in bubblewrap's sandbox. */
  readonly dangerouslyUnlimited?: true;
};

export const dockerDriver = (options: ContainerOptions = {}): SandboxDriver =>
  containerDriver({ ...options, engine: 'docker' });
export const podmanDriver = (options: ContainerOptions = {}): SandboxDriver =>
  containerDriver({ ...options, engine: 'podman' });

/** Every image that has a shell has it there. */
const SH = '/bin/sh';

function containerDriver(options: EngineOptions & ContainerOptions): SandboxDriver {
  async function open(spec: SandboxSpec) {
    const engine = findEngine(options);
    const layout = await layoutFor(spec);
    const workspace = await openRoot(layout.workspace, workspaceOwner());
    const most = spec.most ?? { ...DEFAULT_LIMITS, cpus: 1 };
    const plan = {
      ...{ engine, layout, workspace, most, image: spec.image ?? DEFAULT_IMAGE, sh: SH },
      isLimited: options.dangerouslyUnlimited !== true,
    };
    const boxes = keepBox(plan);
    void removeLeftovers(engine).catch(() => {});
    return openBox({
      ...{ driver: engine.name, layout, fix: `${engine.name} info` },
      proof: { sh: SH, ...proofOf(plan) },
      run: async (request) => (await boxes.current()).run(request),
      async close() {
        await boxes.close();
        await workspace.close();
      },
    });
  }
  return {
    name: options.engine,
    probe: () => probeBy(open, `${options.engine}: a container without network, capabilities or a writable system`),
    open,
  };
}
