// Owns the link that makes `openclaw` a command after the first npm start. Plain JavaScript for Node 18. It must never
// overwrite or remove anything but a dead link of our own.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const NAME = 'openclaw';

const isFile = (file) => {
  try {
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
};

/** Folders on the path, without those that npm adds for the length of a script. */
function foldersOnPath(env) {
  const folders = (env.PATH ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  return folders.filter((folder) => !/node_modules[\\/]\.bin|node-gyp-bin/.test(folder)).map((f) => path.resolve(f));
}

function isWritable(folder) {
  try {
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
    return fs.statSync(folder).isDirectory();
  } catch {
    return false;
  }
}

/** A link to a checkout that is gone: `.../bin/openclaw.cjs` that nothing answers to any more. */
function isOurDeadLink(file) {
  try {
    return fs.readlinkSync(file).endsWith(path.join('bin', 'openclaw.cjs')) && !fs.existsSync(file);
  } catch {
    return false;
  }
}

function isTaken(file) {
  try {
    fs.lstatSync(file);
    return true;
  } catch {
    return false;
  }
}

/** Where npm puts global commands; /usr/bin and /bin belong to the system's own packages. */
function npmBin(prefix) {
  return prefix && path.resolve(prefix) !== '/usr' && path.resolve(prefix) !== '/' ? path.join(prefix, 'bin') : null;
}

/** Links bin/openclaw.cjs if no `openclaw` is there yet. Returns the line to print, or null when nothing is to be said. */
function linkCommand(repo, env = process.env) {
  if (env.HARDSHELL_NO_LINK === '1' || env.CI === 'true') return null;
  const target = path.join(repo, 'bin', 'openclaw.cjs');
  const onPath = foldersOnPath(env);
  const present = onPath.map((folder) => path.join(folder, NAME)).find(isFile);
  if (present) {
    if (fs.realpathSync(present) === fs.realpathSync(target)) return null;
    return `note: the ${NAME} command is ${present}, another program; this one is called by: ${target}`;
  }
  const wanted = [
    env.HOME && path.join(env.HOME, '.local', 'bin'),
    npmBin(env.npm_config_global_prefix),
    '/usr/local/bin',
  ];
  for (const folder of wanted) {
    if (!folder || !onPath.includes(path.resolve(folder)) || !isWritable(folder)) continue;
    const link = path.join(folder, NAME);
    if (isOurDeadLink(link)) fs.unlinkSync(link);
    if (isTaken(link)) continue;
    try {
      fs.symlinkSync(target, link);
    } catch {
      continue;
    }
    return `linked ${link} to this folder, so that ${NAME} works in any terminal (to undo: rm ${link})`;
  }
  return `note: ${NAME} is not on the PATH, nor is a folder for it such as ~/.local/bin; so call it by: ${target}`;
}

module.exports = { linkCommand };
