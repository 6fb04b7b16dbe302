// Owns the questions about the state folder as a whole: whose it is, whether it is where it seems to be, what in it is not as
// it was made, whether something copies it away. It judges places and owners, never content.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { real } from '../../../config/zones.ts';
import { HardshellError, reasonOf } from '../../../platform/errors.ts';
import { look } from '../../../platform/files.ts';
import { quoted } from '../../../secrets/files.ts';
import { refuseForeignState } from '../../../store/folders.ts';
import { type Check, type Facts, type Finding, type Outcome, outcomeOf } from '../../check.ts';
import { amiss, andMore, found, octal, read } from '../../looking.ts';
import { QUICK, type Seen, type StateWalk, THOROUGH, walkOf } from '../../state-walk.ts';
import { placesOf } from './modes.ts';

const WRITE = 0o022;
const READ_WORLD_OR_GROUP = 0o044;
const NOTHING_YET = 'there is no state folder yet; the first start makes it';

const group = 'Secrets';
const RELIED_ON = 'other accounts can read or change what the assistant relies on';

export const FOLDER_CHECKS: readonly Check[] = [
  {
    ...{ id: 'fs.state_dir.owner', group, depth: 'read', rows: ['S010'], probe: ownerOf },
    title: 'Is the state folder yours alone?',
    why: 'whoever owns the folder can replace everything in it, whatever its mode says',
  },
  {
    ...{ id: 'fs.state_dir.symlink', group, depth: 'read', rows: ['S010'], probe: probeLink },
    title: 'Is the state folder itself where it seems to be?',
    why: 'whoever may change the link puts another folder in its place',
  },
  {
    ...{ id: 'fs.files.perms', group, depth: 'read', rows: ['S010', 'S155'], why: RELIED_ON },
    title: 'Can others reach any other file in the state folder?',
    probe: async (facts) => restOf(facts, await walkOf(facts, QUICK), 'A quick look'),
  },
  {
    ...{ id: 'fs.files.all', group, depth: 'deep', rows: ['S010', 'S155'], why: RELIED_ON },
    title: 'Is every single file in the state folder yours, private and a plain file?',
    probe: async (facts) => restOf(facts, await walkOf(facts, THOROUGH), 'The whole look'),
  },
  {
    ...{ id: 'fs.synced_dir', group, depth: 'read', rows: [], probe: probeSynced },
    title: 'Is the state folder copied to a cloud or another machine?',
    why: 'keys and conversations leave this machine, and a copy of a database that is in use is a broken one',
  },
];

function probeLink({ paths: { stateDir } }: Facts): Outcome {
  if (!look(stateDir)?.isSymbolicLink()) return { pass: `State folder: ${stateDir}, no link` };
  const to = real(stateDir);
  const how = { fix: `export OPENCLAW_STATE_DIR=${quoted(to)}`, where: stateDir };
  return amiss('WARNING', `${stateDir} is a symbolic link to ${to}`, how);
}

function probeSynced({ paths: { stateDir }, env }: Facts): Outcome {
  const by = syncedBy(stateDir) ?? mountedFrom(stateDir);
  if (by === null) return { pass: 'State folder: on a disk of this machine, in no synced folder' };
  const fix = `openclaw gateway stop && mv ${quoted(stateDir)} ${quoted(join(env['HOME'] ?? '~', '.openclaw'))}`;
  return amiss('WARNING', `${stateDir} lies in ${by}`, { fix, where: stateDir });
}

function ownerOf({ paths: { stateDir } }: Facts): Outcome {
  if (!existsSync(stateDir)) return { skipped: NOTHING_YET };
  try {
    refuseForeignState(stateDir);
  } catch (cause) {
    return amiss(
      'CRITICAL',
      reasonOf(cause),
      (cause instanceof HardshellError && cause.fix) || 'set OPENCLAW_STATE_DIR to a folder of its own',
      { where: stateDir },
    );
  }
  const [uid, own] = [look(real(stateDir))?.uid, process.geteuid?.()];
  if (uid === undefined || own === undefined || uid === own) return { pass: 'State folder: yours' };
  return amiss(
    own === 0 ? 'WARNING' : 'CRITICAL',
    `${stateDir} belongs to uid ${uid}, and this runs as uid ${own}`,
    own === 0 ? `sudo -u "#${uid}" openclaw security audit` : `sudo chown -R ${own} ${quoted(stateDir)}`,
    {
      consequence:
        own === 0
          ? 'what root looks at is not what its owner sees, and what root writes there its owner cannot change'
          : 'its owner can replace everything in it',
      where: stateDir,
    },
  );
}

function restOf(facts: Facts, walk: StateWalk, what: string): Outcome {
  if (!existsSync(facts.paths.stateDir)) return { skipped: NOTHING_YET };
  const told = placesOf(facts);
  const open = walk.open.filter(({ path }) => !told.has(path));
  const links = walk.links.filter((path) => !told.has(path) && !path.includes('/node_modules/'));
  const owned = walk.foreign.map(({ path }) => path);
  const findings = [
    ...(open.length > 0 ? [tooOpen(open)] : []),
    ...strange('chown', owned, `belongs to uid ${walk.foreign[0]?.uid}`, 'its owner can change it at any time'),
    ...strange('rm', links, 'is a symbolic link', 'what it leads to counts as ours and is not guarded as ours'),
    ...strange('rm', walk.odd, 'is no plain file', 'a program of somebody else may be at its other end'),
    ...strange('ls', walk.unreadable, 'cannot be looked at', 'nobody knows what lies there'),
  ];
  if (walk.stopped !== null)
    findings.push(
      found(
        'INFO',
        `${what} ended early: ${walk.stopped}`,
        `find ${quoted(facts.paths.stateDir)} -xdev -perm /077 -not -type l`,
        { consequence: 'what was not looked at may be open to others', where: facts.paths.stateDir },
      ),
    );
  return outcomeOf(
    findings,
    `Files: ${walk.entries.toLocaleString('en')} in the state folder, only you can reach them`,
  );
}

function tooOpen(open: readonly Seen[]): Finding {
  const worst = open.find(({ mode }) => (mode & WRITE) !== 0) ?? open[0];
  if (worst === undefined) throw new Error('nothing is open');
  const ours = open.filter(({ uid }) => uid === process.geteuid?.());
  return {
    severity: (worst.mode & WRITE) !== 0 ? 'CRITICAL' : 'WARNING',
    evidence: andMore(`${worst.path} has mode ${octal(worst.mode)}`, open.length),
    consequence:
      (worst.mode & (WRITE | READ_WORLD_OR_GROUP)) !== 0
        ? 'other accounts on this machine can read or change it as soon as a folder above it lets them in'
        : 'other accounts on this machine can enter it',
    fix: open.length > 1 ? 'openclaw security audit --fix' : `chmod go= ${quoted(worst.path)}`,
    where: worst.path,
    repairs: ours.map(({ path, mode }) => ({ kind: 'mode', path, mode: mode & 0o700 })),
  };
}

function strange(verb: 'chown' | 'rm' | 'ls', paths: readonly string[], what: string, consequence: string): Finding[] {
  const [first] = paths;
  if (first === undefined) return [];
  // Behind what could not be looked at stands why.
  const where = verb === 'ls' ? first.replace(/ \(\w+\)$/, '') : first;
  const path = quoted(where);
  const fix = { chown: `sudo chown "$(id -un)" ${path}`, rm: `ls -l ${path}, then rm it`, ls: `ls -ld ${path}` };
  return [found('WARNING', andMore(`${first} ${what}`, paths.length), fix[verb], { consequence, where })];
}

const SYNCED: readonly (readonly [RegExp, string])[] = [
  [/^dropbox( \(.*\))?$/i, 'a Dropbox folder'],
  [/^(google ?drive|my drive|googledrive.*)$/i, 'a Google Drive folder'],
  [/^onedrive( - .*)?$/i, 'a OneDrive folder'],
  [/^(mobile documents|com~apple~clouddocs|icloud ?drive|cloudstorage)$/i, 'an iCloud folder'],
  [
    /^(nextcloud|owncloud|pcloud ?drive|pclouddrive|megasync|box sync|proton ?drive|seafile|syncthing|tresorit)$/i,
    'a synced folder',
  ],
];
/** What programs leave in the folder that they sync. */
const MARKS: readonly (readonly [string, string])[] = [
  ['.dropbox.cache', 'a Dropbox folder'],
  ['.stfolder', 'a Syncthing folder'],
  ['.sync_journal.db', 'a Nextcloud folder'],
  ['.tmp.drivedownload', 'a Google Drive folder'],
];

function syncedBy(stateDir: string): string | null {
  const place = real(stateDir);
  const parts = place.split('/');
  for (const [pattern, what] of SYNCED) {
    const at = parts.findIndex((part) => pattern.test(part));
    if (at > 0) return `${what} (${parts.slice(0, at + 1).join('/')})`;
  }
  for (let folder = place; folder !== dirname(folder); folder = dirname(folder))
    for (const [name, what] of MARKS) if (existsSync(join(folder, name))) return `${what} (${folder})`;
  return null;
}

const FAR =
  /^(nfs4?|cifs|smb3|smbfs|afpfs|davfs|fuse\.(sshfs|rclone|s3fs|davfs2|gcsfuse|onedriver|google-drive-ocamlfuse))$/;

function mountedFrom(stateDir: string): string | null {
  const place = real(stateDir);
  let [best, kind] = ['', ''];
  for (const line of (read('/proc/self/mountinfo').text ?? '').split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const at = (before.split(' ')[4] ?? '').replaceAll(String.raw`\040`, ' ');
    const covers = at === '/' || place === at || place.startsWith(`${at}/`);
    if (at !== '' && covers && at.length >= best.length) [best, kind] = [at, after.split(' ')[0] ?? ''];
  }
  return FAR.test(kind) ? `a folder of another machine (${kind} at ${best})` : null;
}
