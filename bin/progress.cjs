// Owns what a person sees while something takes long: a spinner on a terminal, plain lines anywhere else.
// Plain JavaScript for Node 18. It writes to stderr only, so that stdout stays for answers.
'use strict';
const { spawn } = require('node:child_process');

const FRAMES = ['|', '/', '-', '\\'];
const HEARTBEAT_MS = 15_000;
const MAX_TAIL_CHARS = 64 * 1024;

const say = (line) => process.stderr.write(`${line}\n`);
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** Shows `label` until `work`, a `run` of something, has ended. */
async function withProgress(label, work) {
  const startedAt = Date.now();
  const onTerminal = process.stderr.isTTY && process.env.CI !== 'true';
  let frame = 0;
  const draw = () => {
    const elapsedMs = Date.now() - startedAt;
    if (onTerminal) {
      process.stderr.write(`\r\x1b[K${FRAMES[frame++ % FRAMES.length]} ${label} (${Math.round(elapsedMs / 1000)} s)`);
    } else {
      say(`${label}: still at it after ${Math.round(elapsedMs / 1000)} s`);
    }
  };
  if (onTerminal) draw();
  else say(`${label} ...`);
  const timer = setInterval(draw, onTerminal ? 120 : HEARTBEAT_MS);
  try {
    const result = await work();
    if (onTerminal) process.stderr.write('\r\x1b[K');
    const ending = result?.code === 0 ? 'done in' : 'failed after';
    say(`${label}: ${ending} ${seconds(Date.now() - startedAt)}`);
    return result;
  } catch (error) {
    if (onTerminal) process.stderr.write('\r\x1b[K');
    throw error;
  } finally {
    clearInterval(timer);
  }
}

let current = null;
let isWatching = false;

/** A signal sent to us alone must not leave npm or a build running behind our back. */
function watchSignals() {
  if (isWatching) return;
  isWatching = true;
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ]) {
    process.on(signal, () => {
      if (current) current.kill(signal);
      process.exit(128 + number);
    });
  }
}

/**
 * Runs a command to its end. `show: true` lets it write to our own output, else the end of its output comes back.
 * Resolves to { code, output, error } and never rejects: the caller says in one line what went wrong.
 */
function run(file, args, options = {}) {
  watchSignals();
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: options.show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    });
    current = child;
    let output = '';
    let timedOut = false;
    const collect = (data) => {
      output = (output + data).slice(-MAX_TAIL_CHARS);
    };
    if (child.stdout) child.stdout.setEncoding('utf8').on('data', collect);
    if (child.stderr) child.stderr.setEncoding('utf8').on('data', collect);
    const timer = options.timeoutMs
      ? setTimeout(() => {
          timedOut = true;
          child.kill('SIGTERM');
          setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
        }, options.timeoutMs)
      : undefined;
    const finish = (result) => {
      clearTimeout(timer);
      if (current === child) current = null;
      resolve({ output, timedOut, ...result });
    };
    child.on('error', (error) => finish({ code: null, error }));
    child.on('close', (code, signal) => finish({ code: code ?? (signal ? 1 : 0) }));
  });
}

module.exports = { withProgress, run, say, seconds };
