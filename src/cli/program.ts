// Owns the grammar: every command, its options, its help with examples. Bodies are loaded when their command is called,
// so that this file may import nothing heavy.
import { Command, type CommanderError, Help, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { type HardshellError, misused } from '../platform/errors.ts';
import { audit } from './commands/audit/grammar.ts';
import { backup, CHANGING_BACKUP } from './commands/backup/grammar.ts';
import { CHANGING_CHANNELS, channels } from './commands/channels/grammar.ts';
import { CHANGING_INCIDENT, incident } from './commands/incident/grammar.ts';
import { CHANGING_MCP, mcp } from './commands/mcp/grammar.ts';
import { CHANGING_MEMORY, memory } from './commands/memory/grammar.ts';
import { access, CHANGING_ACCESS } from './commands/pairing/grammar.ts';
import { policy } from './commands/policy/grammar.ts';
import { CHANGING_RUNNING, running } from './commands/running/grammar.ts';
import { CHANGING_SANDBOX, sandbox } from './commands/sandbox/grammar.ts';
import { CHANGING_SECURITY, security } from './commands/security/grammar.ts';
import { CHANGING_SKILLS, skills } from './commands/skills/grammar.ts';
import { CHANGING_TRUST, trust } from './commands/trust/grammar.ts';
import type { Context } from './context.ts';
import { asked, asking, askingIn, examples, type Lazy, type Result } from './grammar.ts';
import { CHANGING_OPERATIONS, gatewayOperations, operations } from './operations-grammar.ts';
import type { Streams } from './output.ts';
import { settings } from './settings-grammar.ts';
import { nearestWord } from './suggest.ts';

export const VERSION: string = manifest.version;

type Start = (body: (context: Context) => Result) => Promise<void>;

/** Verbs that change something: never offered in place of a word that was not understood. */
const CHANGING = new Set([
  ...['approve', 'deny', 'call', 'run', 'undo', 'send', 'clean'],
  ...CHANGING_OPERATIONS,
  ...CHANGING_BACKUP,
  ...CHANGING_CHANNELS,
  ...CHANGING_ACCESS,
  ...CHANGING_SANDBOX,
  ...CHANGING_RUNNING,
  ...CHANGING_TRUST,
  ...CHANGING_MEMORY,
  ...CHANGING_MCP,
  ...CHANGING_INCIDENT,
  ...CHANGING_SKILLS,
  ...CHANGING_SECURITY,
  ...['set', 'unset', 'patch', 'confirm', 'rollback', 'rm', 'rotate', 'migrate', 'init', 'rekey'],
]);

const CODE_OR_ID = 'the code, such as K7 or K7.2, or the id; see the list';

export function createProgram(streams: Streams, start: Start): Command {
  const lazy: Lazy =
    (load) =>
    (...given) => {
      const words = given.slice(0, -2) as never[];
      const options = given.at(-2) as never;
      return start(async (context) => (await load()).run(context, options, ...words));
    };
  const program = new Command('openclaw')
    .description('Hardshell: your own AI assistant, closed by default.')
    .version(`hardshell ${VERSION}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .option('--json', 'print one JSON value: {ok,data} or {ok,error}')
    .option('--no-color', 'print without colours (so does NO_COLOR=1)')
    .configureHelp({
      helpWidth: streams.stdout.columns ?? 100,
      // What is special about a command comes first, what all commands share last.
      visibleOptions(command) {
        return Help.prototype.visibleOptions.call(this, command).sort((a, b) => rankOf(a) - rankOf(b));
      },
    })
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
      outputError: () => {},
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showSuggestionAfterError(false)
    .exitOverride();
  examples(program, [
    'npm start',
    'openclaw dashboard',
    'openclaw agent -m "list the files in my workspace"',
    'openclaw status',
  ]);

  talk(program, lazy);
  look(program, lazy);
  settings(program, lazy);
  gateway(program, lazy);
  operations(program, lazy);
  incident(program, lazy);
  backup(program, lazy);
  channels(program, lazy);
  access(program, lazy);
  running(program, lazy);
  policy(program, lazy);
  sandbox(program, lazy);
  mcp(program, lazy);
  skills(program, lazy);
  security(program, lazy);
  audit(program, lazy);
  trust(program, lazy);
  memory(program, lazy);
  return program;
}

function talk(program: Command, lazy: Lazy): void {
  const session = (command: Command): Command =>
    command
      .option('--session-key <key>', 'the conversation to use (default: main)')
      .addOption(new Option('--session <key>', 'same as --session-key').hideHelp());
  session(
    asked(program, 'chat', 'talk to the assistant in the terminal', [
      'openclaw chat',
      'openclaw chat --session-key agent:main:holiday',
    ]),
  ).action(lazy(() => import('./commands/chat.ts')));

  const agent = asking(session(program.command('agent').description('send one message and print the answer')));
  agent
    .option('-m, --message <text>', 'what to say; without it, standard input is sent')
    .option('--timeout <seconds>', 'give up waiting after this long (default: 600)')
    .action(lazy(() => import('./commands/agent.ts')));
  examples(agent, [
    'openclaw agent -m "what changed in my notes this week?"',
    'git diff | openclaw agent --session-key agent:main:review',
    'openclaw agent -m "summarise README.md" --json',
  ]);

  asked(program, 'dashboard', 'print the address of the chat page, signed in', [
    'openclaw dashboard',
    'openclaw dashboard --no-open',
  ])
    .option('--no-open', 'do not open a browser')
    .action(lazy(() => import('./commands/dashboard.ts')));
}

function look(program: Command, lazy: Lazy): void {
  asked(program, 'status', 'how the gateway is: messages, model, sandbox, repairs', [
    'openclaw status',
    'openclaw status --deep',
    'openclaw status --json',
  ])
    .option('--deep', 'ask the gateway for more')
    .action(lazy(() => import('./commands/status.ts')));

  asked(program, 'usage', 'what was spent: a bar a day, by model and person; and the caps', [
    'openclaw usage',
    'openclaw usage --days 7 --json',
    'openclaw config set budget.daily.usd 5',
  ])
    .option('--days <count>', 'so many days (default: 30)')
    .action(lazy(() => import('./commands/usage.ts')));

  asked(program, 'health', 'ask the gateway for a sign of life', ['openclaw health']).action(
    lazy(() => import('./commands/health.ts')),
  );

  const sessions = program.command('sessions').description('conversations: list, show, clean');
  const session = askingIn(sessions, lazy, () => import('./commands/sessions.ts'));
  session('list', 'the newest first', ['openclaw sessions list', 'openclaw sessions list --search holiday'])
    .option('--limit <count>', 'at most this many (default: 50)')
    .option('--search <words>', 'only those whose key, title or label has this');
  session('show', 'what was said', ['openclaw sessions show main', 'openclaw sessions show main --limit 5 --json'])
    .argument('<key>', 'such as main')
    .option('--limit <count>', 'the last messages (default: 50)');
  session('clean', 'go on without text from outside', [
    'openclaw sessions clean main',
    'openclaw sessions clean main --keep nothing',
  ])
    .argument('<key>')
    .option('--keep <what>', 'own-words: what you wrote yourself; nothing: a fresh start (default: own-words)');

  const outbox = program
    .command('outbox')
    .description('messages that leave in a few seconds, and drafts: list, undo, send');
  const held = askingIn(outbox, lazy, () => import('./commands/outbox.ts'));
  held('list', 'what can still be taken back', ['openclaw outbox list']);
  held('undo', 'it never leaves', ['openclaw outbox undo 7']).argument('<id>', 'see the list');
  held('send', 'without waiting', ['openclaw outbox send 7']).argument('<id>', 'see the list');

  const approvals = asked(program, 'approvals', 'questions that wait for your yes, and what you allowed', [
    'openclaw approvals',
    'openclaw approvals show K7',
    'openclaw approvals approve K7',
  ]);
  const answering = () => import('./commands/approvals.ts');
  approvals.action(lazy(async () => ({ run: (await answering()).list })));
  const question = askingIn(approvals, lazy, answering);
  question('list', 'what waits', ['openclaw approvals list', 'openclaw approvals list --json']);
  question('show', 'one question, whole', [
    'openclaw approvals show K7',
    'openclaw approvals show 3f6a --json',
  ]).argument('<id>', CODE_OR_ID);
  question('approve', 'allow it, this once', [
    'openclaw approvals approve K7',
    'openclaw approvals approve K7 --always',
  ])
    .argument('<id>', CODE_OR_ID)
    .option('--task', 'also for the rest of this run, what it shows (see grants)')
    .option('--always', 'exactly this pattern, for 30 days at most (it is shown first; see grants)');
  question('deny', 'refuse it', ['openclaw approvals deny K7']).argument('<id>', CODE_OR_ID);
  question('grants', 'what you allowed for good', ['openclaw approvals grants', 'openclaw approvals grants --json']);
  question('revoke', 'ask again', ['openclaw approvals revoke 3f6a']).argument('<id>', 'see grants');

  const models = program.command('models').description('the models that can answer');
  asked(models, 'list', 'all that are configured', ['openclaw models list']).action(
    lazy(() => import('./commands/models.ts')),
  );

  asked(program, 'logs', 'what the gateway wrote down', [
    'openclaw logs --tail 50',
    'openclaw logs --follow',
    'openclaw logs --tail 1000 | grep unauthorized',
  ])
    .option('-n, --tail <lines>', 'the last lines (default: 200)')
    .addOption(new Option('--limit <lines>', 'same as --tail').hideHelp())
    .option('-f, --follow', 'go on with what comes')
    .action(lazy(() => import('./commands/logs.ts')));
}

function gateway(program: Command, lazy: Lazy): void {
  const group = program.command('gateway').description('the gateway itself: start, stop, status, install, run');
  gatewayOperations(group, lazy);
  const run = group.command('run').description('run it here, until Ctrl-C');
  run
    .option('--port <port>', 'listen on this port (default: 18789)')
    .option('--verbose', 'print the log as well')
    .action(lazy(() => import('./commands/gateway-run.ts')));
  examples(run, ['openclaw gateway run', 'openclaw gateway run --port 19000']);

  asked(group, 'status', 'does it run, since when, where', ['openclaw gateway status']).action(
    lazy(() => import('./commands/gateway-status.ts')),
  );

  asked(group, 'health', 'ask it for a sign of life', ['openclaw gateway health']).action(
    lazy(() => import('./commands/health.ts')),
  );

  asked(group, 'call', 'call a method of its protocol', [
    'openclaw gateway call health',
    `openclaw gateway call sessions.describe --params '{"key":"main"}'`,
  ])
    .argument('<method>')
    .option('--params <json>', 'the parameters, an object')
    .option('--timeout <seconds>', 'give up after this long (default: 30)')
    .action(lazy(() => import('./commands/gateway-call.ts')));
}

const SHARED = ['--json', '--port', '--url', '--token', '--no-color', '--version', '--help'];
const rankOf = (option: Option): number => SHARED.indexOf(option.long ?? '');

/** Knows the flags, over all commands, whose next word is a value. */
export function flagsWithValue(program: Command): (flag: string) => boolean {
  const flags = new Set<string>();
  const visit = (command: Command): void => {
    for (const option of command.options) {
      if (option.required && option.long) flags.add(option.long);
      if (option.required && option.short) flags.add(option.short);
    }
    command.commands.forEach(visit);
  };
  visit(program);
  return (flag) => flags.has(flag);
}

/** A refusal of the parser in our words, with the nearest thing that exists. */
export function usageError(program: Command, words: readonly string[], error: CommanderError): HardshellError {
  const command = commandOf(program, words);
  const name = pathOf(command);
  const first = command.registeredArguments[0];
  const asked = error.code === 'commander.missingArgument' && first ? `${name} <${first.name()}>` : '';
  const help = asked === '' ? `see ${name} --help` : `${asked}${first?.description ? `   (${first.description})` : ''}`;
  // A word too many may be a secret that somebody typed: it is not repeated.
  const said = error.message.replace(/^error: /, '').replace(/( but got \d+): .*$/s, '$1');
  // A group that does something by itself takes a misspelt command of its own for a word too many.
  const isGroup = command !== program && command.commands.length > 0 && /^too many/.test(said);
  const misspelt = isGroup ? / but got \d+: ([^,]+)/s.exec(error.message)?.[1]?.replace(/\.$/, '') : undefined;
  const unknown = misspelt === undefined ? /^unknown (command|option) '(.*)'$/s.exec(said) : ['', 'command', misspelt];
  const known =
    unknown?.[1] === 'command'
      ? command.commands.map((child) => child.name()).filter((child) => !CHANGING.has(child))
      : command.options.flatMap((option) => (option.long ? [option.long] : []));
  const word = unknown?.[2]?.replace(/=.*$/s, '') ?? '';
  const near = unknown ? nearestWord(word, known) : undefined;
  const guess = near === undefined ? undefined : unknown?.[1] === 'command' ? `${name} ${near}` : near;
  const missing = error.code === 'commander.help';
  if (/^too many/.test(said) && /^openclaw secrets (set|rotate)$/.test(name)) return valueInWords(name, 'NAME');
  const isToken = /^too many/.test(said) || /^--(bot-?)?(token|password)$/.test(word);
  if (isToken && name === 'openclaw channels add') return valueInWords(name, 'CHANNEL');
  return misused(
    missing ? 'USAGE' : error.code.replace('commander.', '').replace(/[A-Z]/g, '_$&').toUpperCase(),
    missing ? `${name} needs one more word` : unknown ? `${name} has no ${unknown[1]} "${word}"` : said,
    guess === undefined ? help : `did you mean ${guess}? Otherwise ${help}`,
  );
}

const valueInWords = (name: string, takes: 'NAME' | 'CHANNEL'): HardshellError =>
  misused(
    'SECRET_IN_ARGV',
    `too many arguments: ${name} takes a ${takes.toLowerCase()}; a value in the words of a command can be read by others`,
    `${name} ${takes}   (it asks, or reads standard input); if that was the secret, replace it: shells remember commands`,
  );

function commandOf(program: Command, words: readonly string[]): Command {
  let command = program;
  for (const word of words) {
    const child = command.commands.find((c) => c.name() === word);
    if (child) command = child;
    else if (!word.startsWith('-')) break;
  }
  return command;
}

const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
