// Owns what the commands of skills work on: the folders and settings of this installation, with a gateway or without one.
// It asks policy before anything leaves this machine.
import type { Config } from '../../../config/schema.ts';
import { HardshellError } from '../../../platform/errors.ts';
import { judgeWeb } from '../../../policy/web/judge.ts';
import { prepareWorkspace, workspaceOwner } from '../../../sandbox/workspace.ts';
import { createSkillDesk, type SkillPlaces } from '../../../skills/desk.ts';
import type { Context } from '../../context.ts';
import { openConfig } from '../config/open.ts';

export type SkillReach = {
  readonly places: SkillPlaces;
  readonly desk: ReturnType<typeof createSkillDesk>;
  /** null: the configuration cannot be read, and then nothing is fetched */
  readonly config: Config | null;
  mayReach(url: URL): void;
  /** before anything is put into the workspace */
  prepare(): void;
};

export async function openSkills({ env }: Context): Promise<SkillReach> {
  const { paths, now } = await openConfig(env);
  const workspace = now.config?.agents.defaults.workspace ?? paths.workspaceDir;
  const places = { stateDir: paths.stateDir, workspace, ...workspaceOwner() };
  return {
    places,
    config: now.config,
    desk: createSkillDesk(places, Date.now),
    prepare: () => prepareWorkspace(workspace),
    mayReach(url) {
      if (now.config === null) throw closed('the configuration cannot be read', 'openclaw config validate');
      const [verdict] = judgeWeb([{ kind: 'fetch', url: url.href }], now.config.tools.web);
      if (verdict && verdict.rule !== 'allow') throw closed(verdict.reason, verdict.fix);
    },
  };
}

const closed = (why: string, fix: string): HardshellError =>
  new HardshellError({
    code: 'SKILL_HOST_CLOSED',
    message: `nothing was fetched: ${why}`,
    fix: fix === '' ? 'clone it yourself, and name the folder' : fix,
  });
