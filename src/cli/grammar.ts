// Owns the words that commands are described in: options that many share, examples, bodies that load when they are called.
// It must never know a particular command.
import { type Command, Option } from 'commander';
import type { Context } from './context.ts';

export type Result = Promise<number | undefined>;
export type Body = { readonly run: (context: Context, options: never, ...words: never[]) => Result };
export type Lazy = (load: () => Promise<Body>) => (...given: unknown[]) => Promise<void>;

export const jsonOption = (): Option => new Option('--json', 'print one JSON value');

/** The options of every command that asks a gateway. */
export function asking(command: Command): Command {
  return command
    .addOption(jsonOption())
    .option('--port <port>', 'the port of the gateway on this machine')
    .option('--url <url>', 'another gateway, such as wss://assistant.example.net')
    .option('--token <token>', 'its token; other programs can see it here, OPENCLAW_GATEWAY_TOKEN is better');
}

export function examples(command: Command, lines: readonly string[]): void {
  command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}

type Made = (parent: Command, name: string, what: string, lines: readonly string[], isDefault?: boolean) => Command;

/** A command that needs no gateway. */
export const own: Made = (parent, name, what, lines, isDefault = false) => {
  const command = parent.command(name, { isDefault }).description(what).addOption(jsonOption());
  examples(command, lines);
  return command;
};

/** A command that asks a gateway. */
export const asked: Made = (parent, name, what, lines, isDefault = false) => {
  const command = asking(parent.command(name, { isDefault }).description(what));
  examples(command, lines);
  return command;
};

const adding =
  (make: Made) =>
  <Module>(parent: Command, lazy: Lazy, load: () => Promise<Module>) =>
  (name: keyof Module & string, what: string, lines: readonly string[], isDefault = false): Command =>
    make(parent, name, what, lines, isDefault).action(lazy(async () => ({ run: (await load())[name] as Body['run'] })));

/** They add commands of either kind; the body of each is what the module has under its name. */
export const askingIn = adding(asked);
export const ownIn = adding(own);
