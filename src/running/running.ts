// Owns how commands run beyond the single call in the box: in the background, on the host, and with the trash in place of
// deleting. Part of the composition; who may run what is decided in policy/.
import { userInfo } from 'node:os';
import { OWNER } from '../access/admit.ts';
import { createElevation, idOf } from '../access/elevated/elevation.ts';
import { WEBCHAT, WEBCHAT_ACCOUNT } from '../channels/webchat.ts';
import type { Config } from '../config/schema.ts';
import type { Journal } from '../journal/journal.ts';
import { HardshellError } from '../platform/errors.ts';
import type { Root } from '../platform/root.ts';
import type { Judge, PermittedCall, ToolCall } from '../policy/decide.ts';
import { judgeElevated } from '../policy/elevated.ts';
import { createProcesses } from '../sandbox/background/processes.ts';
import type { Sandbox } from '../sandbox/driver.ts';
import { BASE_ENVIRONMENT } from '../sandbox/environment.ts';
import { isRootHost, openHost } from '../sandbox/host/host.ts';
import type { OpenBox, Trash } from '../sandbox/trash/trash.ts';
import { SHIM_FOLDER } from '../sandbox/walls/trash.ts';
import type { SessionChange } from '../sessions/directory.ts';
import { parseSessionKey } from '../sessions/key.ts';
import type { Speaker } from '../sessions/turn.ts';

export type RunningPorts = {
  readonly now: () => number;
  /** as it is now */
  readonly config: () => Config;
  readonly workspace: Root;
  /** over the whole workspace */
  readonly openBox: OpenBox;
};

export type Running = ReturnType<typeof createRunning>;

const TRASH_FIRST: Readonly<Record<string, string>> = { PATH: `${SHIM_FOLDER}:${BASE_ENVIRONMENT['PATH']}` };

export function createRunning({ now, config, workspace, openBox }: RunningPorts) {
  let journal: Journal['record'] = () => {};
  const record: Journal['record'] = (kind, body) => journal(kind, body);
  const processes = createProcesses<Speaker>({ now, record });
  const elevation = createElevation({
    ...{ now, record, isRoot: isRootHost() },
    settings: () => config().tools.elevated,
  });
  const host: Sandbox = openHost(workspace.path);
  let trash: Promise<Trash> | null = null;

  const elevatedState = (speaker: Speaker) => ({
    refusal: elevation.refusal(speaker),
    id: idOf(speaker),
    isOpen: elevation.untilMs(speaker) !== null,
    user: userInfo().username,
    isRoot: isRootHost(),
  });
  const judges: readonly Judge[] = [(call, effects) => judgeElevated(call, effects, elevatedState)];

  /** The owner may have said yes hours ago: what must hold then must still hold when it begins. */
  const refuseClosed = (call: ToolCall & Pick<PermittedCall, 'effects'>): void => {
    const now = judgeElevated(call, call.effects, elevatedState).find(({ rule }) => rule === 'deny');
    if (!now || now.rule === 'allow') return;
    throw new HardshellError({ code: now.code, message: now.reason, fix: now.fix });
  };

  return {
    processes,
    elevation,
    judges,
    /** What a call is handed in addition to its box, or in its place. */
    envOf(call: PermittedCall): { readonly environment: Readonly<Record<string, string>>; readonly sandbox?: Sandbox } {
      if (call.effects.some((effect) => effect.kind === 'run' && effect.where === 'host')) {
        refuseClosed(call);
        return { environment: {}, sandbox: host };
      }
      return { environment: config().actions.destructive.useTrash ? TRASH_FIRST : {} };
    },
    /** Loaded when somebody asks for it. */
    trash: (): Promise<Trash> => {
      trash ??= import('../sandbox/trash/trash.ts').then(({ createTrash }) => createTrash(workspace, openBox, now));
      return trash;
    },
    /** What the owner says about a window by a client of the gateway: for a conversation, not for a platform's chat. */
    elevate(sessionKey: string, minutes: number): { said: string; open: boolean } {
      const who = {
        channel: WEBCHAT,
        account: WEBCHAT_ACCOUNT,
        chat: parseSessionKey(sessionKey).key,
        sender: 'owner',
      };
      const speaker = { principal: OWNER, place: 'dm' as const, ...who };
      const said = elevation.say(speaker, { name: 'elevated', minutes });
      return { said, open: elevation.untilMs(speaker) !== null };
    },
    /** where starts and ends are written down, once there is a journal */
    recordWith(write: Journal['record']): void {
      journal = write;
    },
    sessionChanged(key: string, change: SessionChange): void {
      if (change !== 'reset' && change !== 'deleted') return;
      processes.endWhere(({ sessionKey }) => sessionKey === key, `session ${change}`);
    },
    /** Rights were given or taken. */
    recheck(holds: (speaker: Speaker) => boolean): void {
      processes.endWhere(({ speaker }) => !holds(speaker), 'right taken');
      elevation.recheck(holds);
    },
    close: () => processes.close(),
  };
}
