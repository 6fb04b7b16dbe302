// Owns `npm test` and `npm run test:long`: brings everything that the tests need, runs it in a fixed order and says at
// the end how it went. Plain JavaScript for Node 18. It must end within its time, whatever hangs.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { PrepareError, REPO, main, node24, prepare } = require('./prepare.cjs');
const { run, say, seconds, withProgress } = require('./progress.cjs');

const IS_LONG = process.argv[2] === 'long';
const extra = process.argv.slice(IS_LONG ? 3 : 2);
/** npm test promises ten minutes in all; what is left of them goes to vitest. */
const LIMIT_MS = IS_LONG ? 60 * 60_000 : 9.5 * 60_000;
const RESULTS = path.join(REPO, 'test-results');
/** command that must exist -> Debian package that brings it */
const NEEDED = { chromium: 'chromium', bwrap: 'bubblewrap', dovecot: 'dovecot-imapd' };

const startedAt = Date.now();
const leftMs = () => Math.max(1_000, LIMIT_MS - (Date.now() - startedAt));

main(async () => {
  await prepare();
  await bringDebianPackages();
  const node = node24();
  const env = {
    ...process.env,
    PATH: [path.join(REPO, 'node_modules', '.bin'), path.dirname(node), process.env.PATH].join(path.delimiter),
  };
  const results = [];
  if (!IS_LONG && extra.length === 0) {
    for (const [name, ...args] of CHECKS) results.push(await check(name, node, args, env));
  }
  const broken = results.filter((result) => !result.isOk);
  results.push(await vitest(node, env));
  summary(results);
  return broken.length > 0 || results.some((result) => !result.isOk) ? 1 : 0;
});

/** Without its tests, the rest of `npm run check`. */
const bin = (...parts) => path.join(REPO, 'node_modules', ...parts);
const CHECKS = [
  ['format', bin('@biomejs', 'biome', 'bin', 'biome'), 'format', '.'],
  ['lint', bin('@biomejs', 'biome', 'bin', 'biome'), 'lint', '.', '--error-on-warnings'],
  ['typecheck', bin('typescript', 'bin', 'tsc'), '--noEmit'],
  ['typecheck ui', bin('typescript', 'bin', 'tsc'), '--noEmit', '-p', 'ui'],
];

async function check(name, node, args, env) {
  const from = Date.now();
  const result = await run(node, args, { cwd: REPO, env, timeoutMs: 120_000 });
  const isOk = result.code === 0;
  if (!isOk) say(result.output.trimEnd());
  say(`${name}: ${isOk ? 'ok' : 'FAILED'} (${seconds(Date.now() - from)})`);
  return { name, isOk, passed: isOk ? 1 : 0, failed: isOk ? 0 : 1 };
}

async function vitest(node, env) {
  fs.mkdirSync(RESULTS, { recursive: true });
  const projects = IS_LONG ? ['long'] : ['unit', 'system'];
  const words = [
    ...projects.flatMap((name) => ['--project', name]),
    ...(IS_LONG ? ['--passWithNoTests'] : []),
    ...extra,
  ];
  const first = await runVitest(node, env, words, IS_LONG ? 'long' : 'test', leftMs());
  if (first.timedOut)
    say(`error: the tests were stopped after ${seconds(LIMIT_MS)}; a test hangs or the machine is too busy`);
  const result = { name: projects.join(' and '), ...first };
  const { failedFiles } = first;
  if (first.isOk || extra.length > 0 || failedFiles.length === 0 || failedFiles.length > MAX_UNSTEADY) return result;
  say(`failed, and once more, each alone: ${failedFiles.join(', ')}`);
  for (const file of failedFiles) {
    const again = await runVitest(
      node,
      env,
      [...words, file],
      'again',
      Math.min(AGAIN_MS, Math.max(AGAIN_AT_LEAST_MS, leftMs())),
    );
    if (!again.isOk) return result;
  }
  return { ...result, isOk: true, passed: first.passed + first.failed, failed: 0, unsteady: failedFiles };
}

/** What fails beside others and passes alone is not well, but it is not broken: it is told, in the last line too. */
const MAX_UNSTEADY = 2;
const AGAIN_MS = 5 * 60_000;
/** A run that fails may take longer than it promises to those whose tests pass. */
const AGAIN_AT_LEAST_MS = 2 * 60_000;

async function runVitest(node, env, words, name, timeoutMs) {
  const file = path.join(RESULTS, `${name}.json`);
  fs.rmSync(file, { force: true });
  const reports = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const args = [bin('vitest', 'vitest.mjs'), 'run', ...words, ...reports];
  const { code, timedOut } = await run(node, args, { cwd: REPO, env, show: true, timeoutMs });
  const counts = countsIn(file);
  // A suite that fails to load counts no test of its own: the exit code decides, the numbers only report.
  const failed = counts.failed > 0 || code === 0 ? counts.failed : 1;
  return { ...counts, failed, timedOut, isOk: code === 0 };
}

function countsIn(file) {
  try {
    const report = JSON.parse(fs.readFileSync(file, 'utf8'));
    const failedFiles = (report.testResults ?? [])
      .filter(({ status }) => status === 'failed')
      .map(({ name }) => path.relative(REPO, name));
    return { passed: report.numPassedTests, failed: report.numFailedTests, failedFiles };
  } catch {
    return { passed: 0, failed: 0, failedFiles: [] };
  }
}

function summary(results) {
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  fs.writeFileSync(path.join(RESULTS, IS_LONG ? 'long-sum.json' : 'test-sum.json'), JSON.stringify({ passed, failed }));
  const bad = results.filter((result) => !result.isOk).map((result) => result.name);
  const unsteady = results.flatMap((result) => result.unsteady ?? []);
  const well = unsteady.length === 0 ? 'all is well' : `well, but only the second time: ${unsteady.join(', ')}`;
  const verdict = bad.length === 0 ? well : `not well: ${bad.join(', ')}`;
  const command = IS_LONG ? 'npm run test:long' : 'npm test';
  console.log(`${command}: ${passed} passed, ${failed} failed in ${seconds(Date.now() - startedAt)}; ${verdict}`);
}

async function bringDebianPackages() {
  const missing = Object.keys(NEEDED)
    .filter((command) => !isOnPath(command))
    .map((command) => NEEDED[command]);
  if (missing.length === 0) return;
  const byHand = `sudo apt-get install -y ${missing.join(' ')}`;
  if (!isOnPath('apt-get')) {
    throw new PrepareError(
      `the tests need ${missing.join(' and ')}, and there is no apt-get here; install them yourself`,
    );
  }
  const isRoot = process.getuid?.() === 0;
  const sudo = isRoot ? [] : ['sudo', '-n'];
  if (!isRoot && (!isOnPath('sudo') || (await run('sudo', ['-n', 'true'])).code !== 0)) {
    throw new PrepareError(`the tests need ${missing.join(' and ')}; install them with: ${byHand}`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => {
    const [file, ...rest] = [...sudo, 'apt-get', ...args];
    return run(file, rest, { env, timeoutMs: 300_000 });
  };
  const install = ['install', '-y', '--no-install-recommends', ...missing];
  const result = await withProgress(
    `installing Debian packages that the tests need: ${missing.join(', ')}`,
    async () => {
      await apt('update');
      return apt(...install);
    },
  );
  if (result.code !== 0) {
    const reason = /^E: (.+)$/m.exec(result.output)?.[1] ?? `exit ${result.code}`;
    throw new PrepareError(`apt-get could not install ${missing.join(' and ')} (${reason}); try: ${byHand}`);
  }
}

function isOnPath(command) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return [...folders, '/usr/sbin', '/sbin'].some((folder) => folder && fs.existsSync(path.join(folder, command)));
}
