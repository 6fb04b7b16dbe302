#!/bin/sh
':' /*
# Owns the way from a typed `openclaw` to a Node that can run it. It is two programs: the shell reads from here to its
# `exec`, JavaScript reads the whole as a comment and starts below. It must stay plain: every Node since 12 parses it.
self=$(readlink -f -- "$0" 2>/dev/null) || self=$0
here=${self%/*}
root=${here%/*}

if [ $# -eq 1 ] && { [ "$1" = --version ] || [ "$1" = -V ]; } && [ -r "$root/package.json" ]; then
  while IFS= read -r line; do
    case $line in
      '  "version": "'[0-9]*)
        line=${line#*: \"}
        case ${0##*\/} in
          clawdbot|moltbot) echo "${0##*\/} is now called openclaw; please use that name." >&2 ;;
        esac
        echo "hardshell ${line%%\"*}"
        exit 0
        ;;
    esac
  done < "$root/package.json"
fi

suits() {
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  [ "${version%%.*}" -ge 24 ] 2>/dev/null
}

found=$(command -v node) || found=
if [ -n "${OPENCLAW_NODE-}" ]; then
  if [ ! -x "$OPENCLAW_NODE" ]; then
    echo "error: OPENCLAW_NODE is set to $OPENCLAW_NODE, which is not a program." >&2
    echo "fix: unset OPENCLAW_NODE, or set it to the path of a Node 24 or newer" >&2
    exit 1
  fi
  node=$OPENCLAW_NODE
elif [ -n "$found" ] && suits "$found"; then
  node=$found
else
  case $(uname -m) in
    x86_64|amd64) arch=x64 ;;
    aarch64|arm64) arch=arm64 ;;
    *) arch=none ;;
  esac
  node=$found
  # Beside the package's own modules, or beside the package when it was hoisted as somebody's dependency.
  for modules in "$root/node_modules" "${root%/*}"; do
    if [ -x "$modules/node-linux-$arch/bin/node" ]; then
      node=$modules/node-linux-$arch/bin/node
      break
    fi
  done
fi
if [ -z "$node" ]; then
  echo "error: openclaw found no Node on this machine and needs Node 24 or newer." >&2
  echo "fix: run npm ci in $root (it brings Node 24), or install Node 24 from https://nodejs.org" >&2
  exit 1
fi
# A small heap grown in small steps, and one arena for what is not heap: 120 MB after a thousand turns, where V8 and libc
# would take 280 (gateway-run.ts asks for the same).
MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX-1}
export MALLOC_ARENA_MAX
exec "$node" --max-semi-space-size=1 --heap-growing-percent=30 --disable-warning=ExperimentalWarning "$0" "$@"
*/
'use strict';

const fs = require('fs');
const path = require('path');
const NEEDED = 24;
const root = path.dirname(__dirname);
const args = process.argv.slice(2);

const say = (line) => process.stderr.write(`${line}\n`);

function majorOf(version) {
  const match = /^v?(\d+)\./.exec(version);
  return match ? Number(match[1]) : 0;
}

/** The version that a Node says it has, or '' when it does not run. */
function versionOf(node) {
  const answer = require('child_process').spawnSync(node, ['--version'], { encoding: 'utf8', timeout: 5000 });
  return answer.status === 0 ? answer.stdout.trim() : '';
}

/** The first Node that is new enough: the one that was asked for, the one on the path, the packaged one. */
function findNode() {
  const wanted = process.env.OPENCLAW_NODE;
  const packaged = path.join(`node-linux-${process.arch}`, 'bin', 'node');
  const candidates = wanted
    ? [wanted]
    : ['node', path.join(root, 'node_modules', packaged), path.join(path.dirname(root), packaged)];
  return candidates.find((node) => majorOf(versionOf(node)) >= NEEDED);
}

/** Runs this file again under `node` and leaves as it leaves. Only here is there a parent process. */
function runUnder(node) {
  const atTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const command = ['--disable-warning=ExperimentalWarning', process.argv[1]].concat(args);
  const child = require('child_process').spawn(node, command, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) {
    process.on(signal, () => {
      // A key at the terminal reaches the child by itself; sent on as well it would count as the second Ctrl-C.
      if (atTerminal && (signal === 'SIGINT' || signal === 'SIGQUIT')) return;
      child.kill(signal);
    });
  }
  child.on('error', (error) => {
    say(`error: ${node} could not be started: ${error.message}.`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code === null ? 1 : code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function runHere() {
  const bundle = path.join(root, 'dist', 'openclaw.mjs');
  const built = fs.existsSync(bundle);
  // Compiled code is kept between starts. In a folder that we may not write to, Node goes on without.
  if (built) require('module').enableCompileCache(path.join(root, 'dist', '.compile-cache'));
  const entry = built ? bundle : path.join(root, 'src', 'cli', 'main.ts');
  return import(require('url').pathToFileURL(entry).href).then((program) => program.run(args, process.env));
}

function main() {
  const isNew = majorOf(process.version) >= NEEDED;
  const node = isNew ? process.execPath : findNode();
  const name = path.basename(process.argv[1]);
  if ((isNew || !node) && (name === 'clawdbot' || name === 'moltbot')) {
    say(`${name} is now called openclaw; please use that name.`);
  }
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    process.stdout.write(`hardshell ${require('../package.json').version}\n`);
    return;
  }
  if (!node) {
    say(`error: openclaw runs on Node ${NEEDED} or newer and found Node ${process.version}.`);
    say(`fix: run npm ci in ${root} (it brings Node 24), or install Node 24 from https://nodejs.org`);
    process.exitCode = 1;
    return;
  }
  if (!isNew) {
    runUnder(node);
    return;
  }
  runHere().then(
    (code) => {
      process.exitCode = code;
    },
    (error) => {
      say(`error: openclaw could not start: ${(error && error.stack) || error}`);
      process.exitCode = 1;
    },
  );
}

main();
