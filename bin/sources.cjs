// Owns the answer to "is dist/ built from exactly these sources?": a hash of everything that the build reads.
// Plain JavaScript for Node 18; it must never write.
'use strict';
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const INPUTS = [
  'src',
  'ui',
  'scripts/build.ts',
  'scripts/bundle.ts',
  'scripts/notices.ts',
  'package.json',
  'package-lock.json',
];
const STAMP = path.join('dist', '.stamp');

function* filesBelow(folder) {
  let entries;
  try {
    entries = fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(file);
    else if (!/\.test\.tsx?$/.test(entry.name)) yield file;
  }
}

/** Content, not time: a fresh clone or a changed branch must not build twice, nor skip a build. */
function sourceStamp(repo) {
  const hash = createHash('sha256');
  for (const input of INPUTS) {
    const top = path.join(repo, input);
    const files = fs.existsSync(top) && fs.statSync(top).isDirectory() ? filesBelow(top) : [top];
    for (const file of files) {
      let data;
      try {
        data = fs.readFileSync(file);
      } catch (error) {
        if (error.code === 'ENOENT') continue;
        throw error;
      }
      hash.update(path.relative(repo, file)).update('\0').update(String(data.length)).update('\0').update(data);
    }
  }
  return hash.digest('hex');
}

function isBuilt(repo) {
  try {
    return fs.readFileSync(path.join(repo, STAMP), 'utf8') === sourceStamp(repo);
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

module.exports = { sourceStamp, isBuilt, STAMP };
