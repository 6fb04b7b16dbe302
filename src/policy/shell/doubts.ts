// Owns why a part of a command cannot be decided before it runs, in one clause each. Data only.
import type { PipelineNode, WordPart } from 'unbash';

/** `mark` is the part of the command, verbatim. `isHopeless`: no yes of the owner would make it better, or not in the box. */
export type Doubt = { readonly reason: string; readonly mark: string; readonly isHopeless?: true | 'in the box' };

const SUBSTITUTION = 'what another command prints becomes a part of it';
const VALUE = 'the value of a variable is known only when it runs';
const FILES = 'which files a pattern means is known only when it runs';
const BRANCH = 'it is a small program, and which of its parts run is known only when it runs';

const PARTS: Readonly<Partial<Record<WordPart['type'], string>>> = {
  CommandExpansion: SUBSTITUTION,
  ProcessSubstitution: SUBSTITUTION,
  SimpleExpansion: VALUE,
  ParameterExpansion: VALUE,
  ArithmeticExpansion: 'a computed value is known only when it runs',
  LocaleString: 'a translated text is known only when it runs',
  Glob: FILES,
  ExtendedGlob: FILES,
  BraceExpansion: 'one word stands for several',
};
const KINDS: Readonly<Partial<Record<PipelineNode['type'], string>>> = {
  If: BRANCH,
  For: BRANCH,
  ArithmeticFor: BRANCH,
  Select: BRANCH,
  While: BRANCH,
  Case: BRANCH,
  TestCommand: BRANCH,
  ArithmeticCommand: BRANCH,
  Subshell: 'commands in brackets are not followed',
  BraceGroup: 'commands in brackets are not followed',
  Redirected: 'commands in brackets are not followed',
  Function: 'it gives a name of its own to commands',
  Coproc: 'it leaves a command running beside it',
};

export const DOUBTS = {
  parts: PARTS as Readonly<Record<string, string>>,
  kinds: KINDS as Readonly<Record<string, string>>,
  unreadable: 'it is no well-formed line of bash',
  empty: 'it starts nothing',
  depth: 'it is nested too deeply',
  disguise: 'it holds characters that cannot be seen',
  control: 'it holds control characters or bytes that are none',
  background: 'it goes on in the background',
  assignment: 'it sets variables in a way that is not followed',
  redirect: 'it redirects in a way that is not followed',
  heredoc: 'the text after << is made only when it runs',
  tilde: '~ means a home folder, which lies outside the workspace',
} as const;
