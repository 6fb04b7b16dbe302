// Owns `npm start`: from a fresh clone to a gateway in the foreground. Plain JavaScript for Node 18, since nothing is
// installed when it first runs. When nothing is missing it only looks, and becomes the gateway at once.
'use strict';
const { spawn } = require('node:child_process');
const path = require('node:path');
const { linkCommand } = require('./link.cjs');
const { REPO, main, node24, prepare } = require('./prepare.cjs');
const { say } = require('./progress.cjs');

main(async () => {
  await prepare();
  const line = linkCommand(REPO);
  if (line) say(line);
  return becomeGateway(process.argv.slice(2));
});

/** Becomes the gateway where this Node can (one process less, every signal arrives by itself), else waits for it. */
function becomeGateway(extra) {
  const launcher = path.join(REPO, 'bin', 'openclaw.cjs');
  const args = ['gateway', 'run', ...extra];
  const env = { ...process.env, OPENCLAW_NODE: process.env.OPENCLAW_NODE || node24() };
  if (typeof process.execve === 'function') process.execve(launcher, [launcher, ...args], env);
  return new Promise((resolve, reject) => {
    const atTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.removeAllListeners(signal);
      process.on(signal, () => {
        // Ctrl-C at a terminal reaches the gateway by itself; sent on as well it would count twice.
        if (!(atTerminal && signal === 'SIGINT')) child.kill(signal);
      });
    }
    const child = spawn(launcher, args, { stdio: 'inherit', env });
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}
