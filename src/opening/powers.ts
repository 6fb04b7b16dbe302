// Owns the second stage of a start: all that the assistant can use, opened and joined to the live configuration. Nothing of
// it runs before main.ts says so.
import { join } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { STARTER_FILES } from '../agent/prompt.ts';
import { openBoxes } from '../boxes/boxes.ts';
import { createBrowsing } from '../browsing/browsing.ts';
import { secretValues } from '../config/load.ts';
import { portFromEnv } from '../config/paths.ts';
import { followZones } from '../config/zones.ts';
import { createLiveConfig } from '../live-config.ts';
import { createMcp } from '../mcp/mcp.ts';
import { openModels } from '../models/open.ts';
import { createUndo } from '../ops/checkpoints/undo.ts';
import { readPanic } from '../ops/panic/panic.ts';
import { openOutgoing } from '../outward/outgoing.ts';
import { createPerimeter } from '../perimeter.ts';
import { openRoot, type Root } from '../platform/root.ts';
import { createRemembering } from '../remembering.ts';
import { createRunning } from '../running/running.ts';
import { MAIN } from '../sandbox/pool/plan.ts';
import { prepareWorkspace, workspaceOwner } from '../sandbox/workspace.ts';
import { createLiveSkills } from '../skills/live.ts';
import { openApprovedTools } from '../store/approvals/server-tools.ts';
import { refuseWideWorkspace } from '../store/folders.ts';
import type { Start, State } from './state.ts';

export type Powers = Awaited<ReturnType<typeof openPowers>>;

/** What the assistant can use: its folder, the box for its commands, the models. */
export async function openPowers(start: Start, { settings, config, log, redactor, store }: State) {
  const { paths, opened, platforms, dangerousWeb, fetch } = start;
  const workspaceDir = (!start.rehearsal && config.agents.defaults.workspace) || paths.workspaceDir;
  refuseWideWorkspace(workspaceDir, paths);
  const workspace = await openWorkspace(workspaceDir);
  opened.defer(workspace.close);
  const live = createLiveConfig({
    settings,
    paths,
    log,
    openModels(next) {
      for (const secret of secretValues(next)) redactor.add(secret);
      return openModels({
        settings: next,
        keyFor: settings.keyFor,
        fetch,
        onNotice: (text, fields) => log.warn(text, fields),
      });
    },
    applied(next) {
      if (readPanic(paths.stateDir) !== null) return;
      void perimeter.apply(next);
      mcp.apply();
      browsing.apply();
    },
  });
  opened.defer(live.close);
  const zones = followZones(() => live.current().config, { ...paths, workspace: workspace.path });
  const sandboxes = openBoxes({
    ...{ paths, workspace, zones, env: settings.env },
    config: () => live.current().config,
  });
  opened.defer(sandboxes.close);
  const remembering = createRemembering({
    ...{ store, workspace, redactor, sandboxes, now: Date.now },
    config: () => live.current().config,
  });
  remembering.provenance.seed(STARTER_FILES);
  const outgoing = openOutgoing(join(paths.stateDir, 'outgoing'), Date.now);
  const perimeter = createPerimeter({
    ...{ store, log, paths, outgoing, env: settings.env, now: Date.now },
    config: () => live.current().config,
    hide: redactor.add,
    rootOf: sandboxes.rootOf,
    ...(platforms ? { platforms } : {}),
  });
  opened.defer(perimeter.close);
  const running = createRunning({
    ...{ now: Date.now, workspace, config: () => live.current().config },
    openBox: () => sandboxes.forCall({ ...MAIN, sessionKey: 'agent:main:trash' }, true),
  });
  opened.defer(running.close);
  const undo = createUndo({ stateDir: paths.stateDir, workspaceDir: workspace.path, ...workspaceOwner(), log });
  opened.defer(undo.close);
  const mcp = createMcp({
    ...{ version: manifest.version, now: Date.now, warn: log.warn },
    config: () => live.current().config.mcp,
    openTable: () => openApprovedTools(store),
    openBox: (name, { workspace: access, allowedHosts }) =>
      sandboxes.openApart(`mcp:${name}`, access, allowedHosts, `mcp.servers.${name}.allowedHosts`),
  });
  opened.defer(mcp.close);
  const ownPorts = ownPortsOf(start, config);
  const browsing = createBrowsing({
    ...{ stateDir: paths.stateDir, env: settings.env, ownPorts, dangerously: dangerousWeb, warn: log.warn },
    config: () => live.current().config,
  });
  opened.defer(browsing.close);
  const skills = createLiveSkills({
    ...{ stateDir: paths.stateDir, workspace: workspace.path, warn: log.warn },
    settings: () => live.current().config.skills,
  });
  return { workspace, sandboxes, running, undo, skills, mcp, browsing, live, perimeter, outgoing, remembering };
}

/** What no page is ever read from. */
export const ownPortsOf =
  ({ port, env }: Start, { gateway }: State['config']) =>
  (): readonly number[] => [port ?? portFromEnv(env) ?? gateway.port];

async function openWorkspace(dir: string): Promise<Root> {
  prepareWorkspace(dir);
  const root = await openRoot(dir, workspaceOwner());
  for (const [name, text] of Object.entries(STARTER_FILES)) {
    // Whatever stands there already, even something unreadable, is the owner's.
    const present = await root.tryRead(name, 1_000_000).catch(() => Buffer.alloc(0));
    if (present === null) await root.create(name, text);
  }
  return root;
}
