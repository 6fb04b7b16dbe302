// Owns getting a checkout ready to run: packages as locked, dist/ as the sources say, one process at a time.
// Plain JavaScript for Node 18 (nothing is installed yet when it runs). It must never run a package's own scripts, and
// never change package-lock.json.
'use strict';
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { isBuilt } = require('./sources.cjs');
const { run, say, withProgress } = require('./progress.cjs');

const REPO = path.dirname(__dirname);
const MODULES = path.join(REPO, 'node_modules');
const INSTALLED = path.join(MODULES, '.hardshell-lock');
const CACHE = path.join(REPO, '.cache');
const LOCK = path.join(CACHE, 'prepare.lock');
const LOG = path.join(CACHE, 'prepare.log');
/** Two retries all the same, but a machine without a network hears of it in seconds, not after a minute. */
const QUICK_RETRIES = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];
/** A lock folder without an owner file is being made right now, unless it is older than this. */
const LOCK_GRACE_MS = 10_000;

/** A failure that a person can mend; everything else is our bug and keeps its stack. */
class PrepareError extends Error {}

const lockHash = () =>
  createHash('sha256')
    .update(fs.readFileSync(path.join(REPO, 'package-lock.json')))
    .digest('hex');

function tryRead(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  }
}

const isInstalled = () => tryRead(INSTALLED) === lockHash();

/** True when somebody ran npm ci by hand: npm's own record of the tree says the same as the lock file. */
function isInstalledByHand() {
  const record = tryRead(path.join(MODULES, '.package-lock.json'));
  if (record === null) return false;
  const present = JSON.parse(record).packages;
  const locked = JSON.parse(fs.readFileSync(path.join(REPO, 'package-lock.json'), 'utf8')).packages;
  for (const [where, wanted] of Object.entries(locked)) {
    if (where === '') continue;
    const found = present[where];
    // An optional package for another system is rightly absent.
    if (!found && wanted.optional) continue;
    if (!found || found.version !== wanted.version || found.integrity !== wanted.integrity) return false;
    if (!fs.existsSync(path.join(REPO, where, 'package.json'))) return false;
  }
  return true;
}

/** The Node that everything runs under: the packaged one, else this one if it is new enough. */
function node24() {
  const packaged = path.join(MODULES, `node-linux-${process.arch}`, 'bin', 'node');
  if (process.platform === 'linux' && fs.existsSync(packaged)) return packaged;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  throw new PrepareError(
    `this is Node ${process.version} and no Node 24 came with the packages; install Node 24 or newer from nodejs.org`,
  );
}

/** One line for each way in which npm ci is known to fail. */
function whyInstallFailed(result) {
  if (result.error?.code === 'ENOENT') {
    return 'npm was not found; install it (Debian: apt install npm) and run this again';
  }
  const text = result.output;
  const code = /npm (?:error|ERR!) code (\S+)/.exec(text)?.[1] ?? '';
  if (code === 'ENOSPC' || /ENOSPC|no space left/i.test(text)) {
    return `the disk is full; npm ci needs about 500 MB in ${REPO}`;
  }
  if (
    /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)$/.test(code)
  ) {
    return `npm could not reach the package registry (${code}); check the network and run this again`;
  }
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
    return `npm may not write here (${code}); give yourself write access to ${REPO}`;
  }
  if (code === 'EINTEGRITY') {
    return 'a downloaded package is not the one in package-lock.json (EINTEGRITY); nothing of it was used';
  }
  if (code === 'EUSAGE') {
    return 'package-lock.json does not fit package.json; restore both from git (git checkout package.json package-lock.json)';
  }
  const last = text.match(/npm (?:error|ERR!) (?!code|A complete log|path|errno)(.+)/)?.[1] ?? 'no reason given';
  return `npm ci failed (${code || `exit ${result.code}`}): ${last}; the whole output is in ${path.relative(REPO, LOG)}`;
}

async function install() {
  const hash = lockHash();
  if (isInstalledByHand()) {
    fs.writeFileSync(INSTALLED, hash);
    return;
  }
  const freeBytes = freeBytesIn(REPO);
  if (freeBytes !== null && freeBytes < 600e6) {
    throw new PrepareError(`only ${Math.round(freeBytes / 1e6)} MB are free in ${REPO}; npm ci needs about 600 MB`);
  }
  fs.rmSync(INSTALLED, { force: true });
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', ...QUICK_RETRIES];
  const result = await withProgress('installing packages (npm ci, locked, no install scripts)', () =>
    run('npm', args, { cwd: REPO }),
  );
  if (result.code !== 0) {
    log(result.output);
    throw new PrepareError(whyInstallFailed(result));
  }
  fs.writeFileSync(INSTALLED, hash);
}

async function build() {
  const result = await withProgress('building', () =>
    run(node24(), [path.join(REPO, 'scripts', 'build.ts')], { cwd: REPO, env: { ...process.env, NO_COLOR: '1' } }),
  );
  if (result.code !== 0) {
    log(result.output);
    const lines = result.output.trimEnd().split('\n');
    say(lines.slice(-25).join('\n'));
    throw new PrepareError(`the build failed; the whole output is in ${path.relative(REPO, LOG)}`);
  }
  const notes = result.output.split('\n').filter((line) => line.startsWith('note: '));
  for (const note of notes) say(note);
}

function log(output) {
  try {
    fs.writeFileSync(LOG, output);
  } catch {
    // A full disk must not hide the reason that we are about to print.
  }
}

function freeBytesIn(folder) {
  try {
    const stat = fs.statfsSync(folder);
    return stat.bavail * stat.bsize;
  } catch {
    return null;
  }
}

/** True while the process that took the lock lives. */
function ownerOf(lock) {
  const owner = tryRead(path.join(lock, 'owner'));
  if (owner === null || owner === '') {
    try {
      return Date.now() - fs.statSync(lock).mtimeMs < LOCK_GRACE_MS ? 'somebody' : null;
    } catch {
      return null;
    }
  }
  try {
    process.kill(Number(owner), 0);
    return `process ${owner}`;
  } catch (error) {
    return error.code === 'EPERM' ? `process ${owner}` : null;
  }
}

/** Runs `work` while no other npm start, npm test or npm run build of this checkout does. */
async function withLock(work) {
  fs.mkdirSync(CACHE, { recursive: true });
  let isTold = false;
  for (;;) {
    try {
      fs.mkdirSync(LOCK);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = ownerOf(LOCK);
    if (owner === null) {
      // Renaming is atomic: of several who find the lock abandoned, one takes it away and all try again.
      const aside = `${LOCK}.${process.pid}`;
      try {
        fs.renameSync(LOCK, aside);
      } catch (error) {
        if (error.code !== 'ENOENT') throw error;
      }
      fs.rmSync(aside, { recursive: true, force: true });
      continue;
    }
    if (!isTold) say(`waiting until ${owner} has finished installing and building in this folder ...`);
    isTold = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  fs.writeFileSync(path.join(LOCK, 'owner'), String(process.pid));
  const release = () => fs.rmSync(LOCK, { recursive: true, force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

/** Installs and builds what is missing or stale. Nothing is touched, nor the lock taken, when all is well. */
async function prepare(options = {}) {
  if (!options.rebuild && isInstalled() && isBuilt(REPO)) return;
  try {
    await withLock(async () => {
      if (!isInstalled()) await install();
      if (options.rebuild || !isBuilt(REPO)) await build();
    });
  } catch (error) {
    if (error.code === 'ENOSPC') throw new PrepareError(`the disk is full: ${error.message}`);
    if (error.code === 'EACCES' || error.code === 'EROFS') {
      throw new PrepareError(`${REPO} cannot be written to: ${error.message}`);
    }
    throw error;
  }
}

/** Runs a program of ours: one line and a non-zero exit for what a person can mend, a stack for our own mistakes. */
function main(program) {
  program().then(
    (code) => {
      process.exitCode = code ?? 0;
    },
    (error) => {
      say(error instanceof PrepareError ? `error: ${error.message}` : error.stack);
      process.exitCode = 1;
    },
  );
}

module.exports = { REPO, PrepareError, prepare, node24, main };
