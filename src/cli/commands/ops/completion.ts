// Owns `openclaw completion`: a script for the shell, made from the grammar itself. It must hold no state of this machine;
// the script asks nobody when it runs.
import type { Command } from 'commander';
import { EXIT, misused } from '../../../platform/errors.ts';
import type { Context } from '../../context.ts';

const NAMES = ['openclaw', 'hardshell'] as const;

export async function run({ out }: Context, program: Command, shell: string): Promise<number> {
  const text = completionScript(shell, program);
  out.data({ shell, text });
  out.text(text);
  return EXIT.ok;
}

type Place = { readonly path: string; readonly words: readonly string[] };

function completionScript(shell: string, program: Command): string {
  const places = placesOf(program, 'openclaw');
  if (shell === 'bash') return bash(places);
  if (shell === 'zsh') return `autoload -U +X bashcompinit && bashcompinit\n${bash(places)}`;
  if (shell === 'fish') return fish(places);
  throw misused('USAGE', `"${shell}" is no shell that is known here`, 'one of bash, zsh, fish');
}

/** Every command that can be typed, with what can follow it. */
function placesOf(command: Command, path: string): Place[] {
  const children = command.commands.filter((child) => !(child as unknown as { _hidden?: boolean })._hidden);
  const flags = command.options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : []));
  const words = [...children.map((child) => child.name()), ...flags, '--help'];
  return [{ path, words }, ...children.flatMap((child) => placesOf(child, `${path} ${child.name()}`))];
}

function bash(places: readonly Place[]): string {
  const known = places.slice(1).map(({ path }) => `      "${path}") at="$at $word" ;;`);
  const words = places.map(({ path, words: list }) => `    "${path}") words="${list.join(' ')}" ;;`);
  return `# openclaw completion bash > ~/.local/share/bash-completion/completions/openclaw
_openclaw() {
  local at=openclaw words= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in
${known.join('\n')}
    esac
  done
  case "$at" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _openclaw ${NAMES.join(' ')}
`;
}

function fish(places: readonly Place[]): string {
  const known = places
    .slice(1)
    .map(({ path }) => `      case "${path}"`)
    .join('\n        set at "$at $word"\n');
  const lines = places.flatMap(({ path, words }) =>
    NAMES.map((name) => `complete -c ${name} -f -n 'test (__openclaw_at) = "${path}"' -a "${words.join(' ')}"`),
  );
  return `# openclaw completion fish > ~/.config/fish/completions/openclaw.fish
function __openclaw_at
  set at openclaw
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
${known}
        set at "$at $word"
    end
  end
  echo $at
end
${lines.join('\n')}
`;
}
