// Owns `openclaw onboard` (also `setup`): at most three questions, each tried out at once, then what was promised. A key is
// typed unseen or piped in, never a word of the command; nothing is written before every answer is good.
import { createInterface } from 'node:readline';
import { type Env, type Paths, resolvePaths } from '../../../config/paths.ts';
import { defaultModelOf } from '../../../models/catalog.ts';
import { knownAddress } from '../../../models/providers.ts';
import { listModels, type ModelsAnswer } from '../../../net/list-models.ts';
import { checkProvider, keyFileOf, type Provider, writeFirstSetup } from '../../../ops/first-setup.ts';
import { startProcess } from '../../../ops/gateway-process.ts';
import { managerHere } from '../../../ops/unit/control.ts';
import { ownProgram } from '../../../ops/unit/facts.ts';
import { installUnit, planUnit } from '../../../ops/unit/install.ts';
import { EXIT, HardshellError, misused, reasonOf } from '../../../platform/errors.ts';
import { MAX_SECRET_BYTES } from '../../../secrets/files.ts';
import { readGatewayToken } from '../../../secrets/gateway-token.ts';
import { findProviderKey } from '../../../secrets/provider-keys.ts';
import { askOwner } from '../../chat/ask-owner.ts';
import type { Context } from '../../context.ts';
import { readHidden } from '../../input.ts';
import { type Output, span } from '../../output.ts';
import { withProgress } from '../../print/progress.ts';

type Flags = {
  readonly provider?: string;
  readonly baseUrl?: string;
  readonly model?: string;
  readonly keyStdin?: boolean;
  readonly installDaemon?: boolean;
  readonly start?: boolean;
  readonly open: boolean;
  readonly yes?: boolean;
};

export async function run({ out, env }: Context, flags: Flags): Promise<number> {
  const paths = resolvePaths(env);
  const asks = !flags.yes && !out.json && out.streams.stdin.isTTY === true;
  const id = flags.provider ?? (asks ? await askProvider(out, flags.baseUrl !== undefined) : undefined);
  const { provider, tested } = id ? await openProvider(out, id, flags, { asks, paths, env }) : NO_PROVIDER;

  const manager = managerHere(false);
  const install =
    manager !== null && (flags.installDaemon ?? (asks && (await yes(out, 'start it with this machine?'))));
  // Refuses here, when nothing is written yet, what would be refused at the end.
  if (install) planUnit(paths, env, { print: false });

  await writeFirstSetup(paths, env, { provider, now: Date.now });
  out.line(span('green', 'written'), ` ${paths.configPath}, with no secret in it`);
  if (provider?.key)
    out.line(span('green', 'written'), ` ${paths.credentialsDir}/${keyFileOf(provider.id)}, for you alone`);
  if (flags.installDaemon && manager === null)
    out.note('no service manager runs here, so it is started in the background');

  const starts = install || flags.start === true || flags.installDaemon === true || asks;
  const url = starts ? await startIt(out, paths, env, install) : null;
  out.data({ config: paths.configPath, provider: provider?.id ?? null, model: provider?.model ?? null, tested, url });
  if (url === null) out.note('next: openclaw gateway start');
  else if (asks && flags.open && (await yes(out, 'open the chat page?'))) await openPage(out, paths, env, url);
  else out.note('the chat page: openclaw dashboard');
  return EXIT.ok;
}

const MAX_ATTEMPTS = 3;
const NO_PROVIDER = { provider: null, tested: null };

/** Asked again after a slip, since everything that was answered before would be lost. */
async function askProvider(out: Output, anyName: boolean): Promise<string | undefined> {
  out.note('providers: anthropic, openai, openrouter, ollama, lmstudio; nothing: later');
  for (let attempt = 1; ; attempt++) {
    const answer = await askOnce(out, 'which model provider?');
    if (answer === undefined || anyName || attempt === MAX_ATTEMPTS || knownAddress(answer)) return answer;
    out.note(
      span('red', `${answer} is not one of these; another one: openclaw onboard --provider NAME --base-url URL`),
    );
  }
}

function askOnce(out: Output, question: string): Promise<string | undefined> {
  const lines = createInterface({ input: out.streams.stdin, output: out.streams.stderr });
  return new Promise((resolve, reject) => {
    const left = (): void => reject(usage('nothing was entered, and nothing was written', 'openclaw onboard --help'));
    lines.on('SIGINT', left).on('close', left);
    lines.question(out.paint('stderr', `${question} > `), (answer) => {
      resolve(answer.trim().toLowerCase() || undefined);
      lines.close();
    });
  }).finally(() => lines.close()) as Promise<string | undefined>;
}

type Setting = { readonly asks: boolean; readonly paths: Paths; readonly env: Env };

async function openProvider(
  out: Output,
  id: string,
  flags: Flags,
  { asks, paths, env }: Setting,
): Promise<{ provider: Provider; tested: ModelsAnswer['state'] }> {
  const known = knownAddress(id);
  const baseUrl = flags.baseUrl ?? known?.baseUrl;
  if (baseUrl === undefined) throw needsAddress(id);
  const isNamed = flags.baseUrl === undefined && defaultModelOf(id) !== undefined;
  const needsKey = !/^https?:\/\/(localhost|127\.|\[::1\])/.test(baseUrl);
  const present = findProviderKey(id, undefined, paths.credentialsDir, env);
  const ask = async (): Promise<string | undefined> =>
    (await readHidden(out, `the key for ${id}`, MAX_SECRET_BYTES)).trim() || undefined;
  let key = flags.keyStdin || (asks && needsKey && present === undefined) ? await ask() : undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      checkProvider({ id, baseUrl, ...(key === undefined ? {} : { key }) });
    } catch (error) {
      if (!asks || key === undefined || attempt >= MAX_ATTEMPTS) throw error;
      out.note(span('red', reasonOf(error)));
      key = await ask();
      continue;
    }
    const question = { api: known?.api ?? 'openai-completions', baseUrl, key: key ?? present };
    const answer = await withProgress(out, `asking ${id} for its models`, listModels(question));
    if (answer.state === 'refused' && asks && attempt < MAX_ATTEMPTS) {
      out.note(span('red', answer.reason));
      key = await ask();
      continue;
    }
    if (answer.state === 'refused') throw refusedKey(answer.reason);
    if (answer.state === 'unknown') out.note(span('yellow', `not tested: ${answer.reason}`));
    else out.line(span('green', 'works'), `: ${id} offers ${answer.models.length} models`);
    const model = flags.model ?? (isNamed ? undefined : answer.state === 'works' ? answer.models[0] : undefined);
    if (model === undefined && !isNamed) throw needsModel(id);
    if (!flags.model && model)
      out.note(`${model} answers; another one: openclaw config set agents.defaults.model.primary`);
    if (needsKey && key === undefined && present === undefined)
      out.note(span('yellow', `${id} has no key yet: openclaw secrets set ${keyFileOf(id)}`));
    const provider = { id, ...(isNamed ? {} : { baseUrl }), ...(model ? { model } : {}), ...(key ? { key } : {}) };
    return { provider, tested: answer.state };
  }
}

async function startIt(out: Output, paths: Paths, env: Env, install: boolean): Promise<string> {
  if (install) {
    const unit = await withProgress(out, 'installing', installUnit(paths, env, { print: false }));
    for (const note of unit.notes) out.note(note);
  }
  const known = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const options = { program: ownProgram(), env: Object.fromEntries(known) };
  // Whoever the unit has started is found by its lock.
  const { port, pid } = await withProgress(out, 'starting the gateway', startProcess(paths, options));
  const url = `http://127.0.0.1:${port}`;
  out.line(span('green', 'runs'), ` on ${url}, process ${pid}`);
  return url;
}

async function openPage(out: Output, paths: Paths, env: Env, url: string): Promise<void> {
  const token = readGatewayToken(paths, env);
  const { openInBrowser } = await import('../../../platform/process/browser.ts');
  if (token && (await openInBrowser(`${url}/#token=${encodeURIComponent(token)}`, env))) return;
  out.note('no browser could be opened here; the address: openclaw dashboard');
}

const yes = async (out: Output, question: string): Promise<boolean> =>
  (await askOwner(out, question, new AbortController().signal)) === true;

const needsAddress = (id: string): HardshellError =>
  usage(`the address of the provider ${id} is not known`, `--base-url https://host/v1, or --provider anthropic`);
const needsModel = (id: string): HardshellError =>
  usage(`${id} did not say which models it has`, 'name one: --model NAME');
const refusedKey = (reason: string): HardshellError =>
  new HardshellError({
    code: 'KEY_REFUSED',
    message: `${reason}; nothing was written`,
    fix: 'look for the key in your account there and enter it again',
    exitCode: EXIT.denied,
  });
const usage = (message: string, fix: string): HardshellError => misused('USAGE', message, fix);
