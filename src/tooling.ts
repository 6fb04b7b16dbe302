// Owns what a tool call meets on its way: the judges in their order, the owner's word, the box it runs in. Part of the
// composition; the rules themselves live in policy/, and nothing here decides.
import type { AgentPorts } from './agent/loop.ts';
import { createBinder, createOwnersWord } from './asking/binding.ts';
import type { Boxes } from './boxes/boxes.ts';
import type { Browsing } from './browsing/browsing.ts';
import type { Config } from './config/schema.ts';
import type { CallHooks } from './core.ts';
import type { Log } from './log/log.ts';
import type { Mcp } from './mcp/mcp.ts';
import type { MailReader } from './net/mail-words.ts';
import type { Web } from './net/web/web.ts';
import type { Undo } from './ops/checkpoints/undo.ts';
import { HardshellError } from './platform/errors.ts';
import { decide, demandPermit, type PermittedCall, type ToolCall } from './policy/decide.ts';
import type { ToolRoles } from './policy/flow/roles.ts';
import { askingOf, judgesOf, rulesOf } from './policy/judges.ts';
import { judgeFor } from './policy/tool-policy.ts';
import { labelled, tierOfResult } from './policy/trust/tiers.ts';
import { whyOff } from './policy/web/judge.ts';
import type { Remembering } from './remembering.ts';
import type { Running } from './running/running.ts';
import { conversationOf } from './sandbox/pool/plan.ts';
import type { LiveSkills } from './skills/live.ts';
import { createToolCaller } from './tools/call.ts';
import { TOOLS, toolSchemas } from './tools/registry.ts';
import type { MailDesk } from './tools/tool.ts';

export type ToolingPorts = {
  readonly log: Log;
  /** as it is now: what may be called is read at each call */
  live(): Config;
  readonly remembering: Pick<Remembering, 'envOf' | 'isFor' | 'ranOver'>;
  readonly sandboxes: Pick<Boxes, 'whereOf' | 'zonesOf' | 'openFor' | 'folderFor'>;
  readonly running: Running;
  readonly undo: Pick<Undo, 'before' | 'telling'>;
  readonly skills: Pick<LiveSkills, 'knowing' | 'environmentOf'>;
  readonly mcp: Pick<Mcp, 'tools' | 'toolOf' | 'rolesOf' | 'call'>;
  readonly browsing?: Pick<Browsing, 'look' | 'act'>;
  /** loaded when a page is read, or searched for, the first time */
  web(): Promise<Web>;
  /** whether any platform is there to send by */
  canSend(): boolean;
  /** the mailbox that this speaker's mail would be looked for in */
  mailboxOf(speaker: ToolCall['speaker']): { readonly account: string; readonly reader: MailReader } | null;
};

export function createTooling({
  log,
  live,
  remembering,
  sandboxes,
  running,
  undo,
  skills,
  mcp,
  browsing = NO_BROWSER,
  web,
  canSend,
  mailboxOf,
}: ToolingPorts) {
  /** What nothing stands behind is not offered. */
  const isThere = (name: string, config: Config, speaker: ToolCall['speaker']): boolean => {
    if (name === 'mail') return isOwnersDm(speaker) && mailboxOf(speaker) !== null;
    if (name === 'message') return canSend();
    return whyOff(name, config) === undefined;
  };
  const deskFor =
    (outward: CallHooks['outward']) =>
    ({ speaker }: PermittedCall): MailDesk => {
      const box = mailboxOf(speaker);
      if (box === null) throw noMail();
      const { account, reader } = box;
      return {
        search: reader.search,
        read: reader.read,
        queue: (call, letter, isDraft) => outward.mail(call, account, letter, isDraft),
      };
    };
  const roles = new Map<string, ToolRoles | undefined>(
    TOOLS.flatMap(({ name, roles: whole, rolesByAct = {} }) => [
      [name, whole],
      ...Object.entries(rolesByAct).map(([act, one]) => [`${name}.${act}`, one] as const),
    ]),
  );
  const rolesOfTool = (name: string) => roles.get(name) ?? mcp.rolesOf(name);
  const binder = createBinder({
    folderOf: (call) => sandboxes.folderFor(conversationOf(call)),
    namesIn: async (command) => (await import('./policy/shell/names.ts')).namesIn(command),
  });
  const schemasWith = (options: { readonly elevated: boolean }) =>
    new Map(TOOLS.map((tool) => [tool.name, toolSchemas([tool], options)]));
  const schemas = { inside: schemasWith({ elevated: false }), outside: schemasWith({ elevated: true }) };
  /** What is denied is not offered either; the decision below holds all the same. */
  const offered = (turn: Pick<ToolCall, 'sessionKey' | 'agentId' | 'speaker'>) => {
    const now = live();
    const [rules, asking] = [rulesOf(now), askingOf(now, turn)];
    const isDenied = (name: string): boolean => judgeFor(name, rules, asking).rule === 'deny';
    const own = TOOLS.flatMap(({ name }) =>
      isDenied(name) || !isThere(name, now, turn.speaker) || (name.startsWith('memory_') && !remembering.isFor(turn))
        ? []
        : (schemas[now.tools.elevated.enabled ? 'outside' : 'inside'].get(name) ?? []),
    );
    return [...own, ...toolSchemas(mcp.tools().filter(({ name }) => !isDenied(name)))];
  };
  return {
    tools: offered,
    toolCaller: ({ approvals, grants, trusted, outward, ...hooks }: CallHooks): AgentPorts['callTool'] =>
      undo.telling(
        createToolCaller({
          ...hooks,
          prepare: undo.before,
          failed: (call, error) => log.error('tool failed', { tool: call.name, error }),
          tools: TOOLS,
          offered,
          toolOf: mcp.toolOf,
          where: sandboxes.whereOf,
          lookAt: browsing.look,
          async decide(call, effects, isAhead) {
            const flow = { rolesOf: rolesOfTool, registry: trusted.flow() };
            const verdicts = await Promise.all(
              [...judgesOf(live(), sandboxes.zonesOf(call), flow), ...running.judges].map((one) => one(call, effects)),
            );
            return decide(call, effects, grants.apply(call, effects, verdicts.flat(), isAhead));
          },
          async labelled(call, given) {
            const from = given.sources.includes('exec') ? await remembering.ranOver(call, given) : given;
            return labelled(from, tierOfResult(live().trust.tiers, sandboxes.zonesOf(call), call, from.sources));
          },
          async openEnv(call, signal) {
            demandPermit(call);
            const ran = running.envOf(call);
            const known = skills.knowing(remembering.envOf(call));
            return {
              ...{
                signal,
                web,
                browser: browsing.act,
                send: outward.send,
                change: outward.change,
                mail: deskFor(outward),
              },
              processes: running.processes,
              callServer: (permitted, args) => mcp.call(permitted, args, signal),
              ...(await sandboxes.openFor(call, call.effects)),
              ...ran,
              ...known,
              environment: { ...skills.environmentOf(call.effects), ...ran.environment },
            };
          },
          askOwner: createOwnersWord(approvals, binder),
        }),
      ),
  };
}

const noBrowser = (): Promise<never> =>
  Promise.reject(new HardshellError({ code: 'NO_BROWSER', message: 'there is no browser here' }));
const NO_BROWSER: NonNullable<ToolingPorts['browsing']> = { look: noBrowser, act: noBrowser };

const isOwnersDm = ({ principal, place }: ToolCall['speaker']): boolean => principal.kind === 'owner' && place === 'dm';

const noMail = (): HardshellError =>
  new HardshellError({ code: 'NO_MAIL', message: 'no mail channel runs here', fix: 'openclaw channels add mail' });
