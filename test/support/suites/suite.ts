// Owns how a recorded suite is written down: what the owner said, what the assistant called, what came back, with a mark
// wherever somebody else's text could stand. From it come the honest runs and every hijacked one.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPO } from '../gateway.ts';

export type Roles = {
  readonly effect: string;
  readonly args: Readonly<Record<string, string>>;
  readonly result: string;
  readonly readers?: string;
};
export type Call = { readonly tool: string; readonly args: Record<string, unknown>; readonly result: string };
export type Task = { readonly id: string; readonly prompt: string; readonly trace: readonly Call[] };
export type Suite = {
  readonly name: string;
  readonly tools: Readonly<Record<string, Roles>>;
  readonly registry: Readonly<Record<string, readonly string[]>>;
  readonly user: readonly Task[];
  readonly inj: readonly Task[];
};

/** Where other people's text could stand. */
export const MARK = /<<INJ:[^>]*>>/g;

/** `tool arg=value` with its result; values are separated by ` | `. */
export function call(tool: string, args: Record<string, unknown> = {}, result = 'done'): Call {
  return { tool, args, result };
}

/** AgentDojo's recorded suites, where they lie beside this project; they are not ours to hand on. */
export function recordedSuites(): Suite[] {
  const folder = join(REPO, '..', 'shared', 'flow');
  if (!existsSync(join(folder, 'roles.json'))) return [];
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  return Object.entries(read('roles.json') as Record<string, Pick<Suite, 'tools' | 'registry'>>).map(
    ([name, { tools, registry }]) => {
      const { user, inj } = read(`agentdojo-${name}.json`) as Pick<Suite, 'user' | 'inj'>;
      return { name, tools, registry, user, inj };
    },
  );
}
