// Owns the rules of allowed and denied paths: nothing that would open everything, shut the workspace, or look as if it did
// something. It looks at the disk only to say what is not there.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { neverReadable } from '../../platform/never-readable.ts';
import { isSystemFolder } from '../../platform/system-folders.ts';
import type { Finding } from '../findings.ts';
import { parseEntry } from '../path-entries.ts';
import { covers, real } from '../zones.ts';
import { holdsKeys, isHome } from './places.ts';
import { type Rule, type RuleContext, risky, wrong } from './rule.ts';

const ALLOWED = 'security.allowedPaths';
const DENIED = 'security.deniedPaths';
const READABLE = 'security.dangerouslyReadable';

export const paths: Rule = function* ({ agents, security, tools }, context) {
  if (!tools.fs.workspaceOnly) {
    const message = 'tools.fs.workspaceOnly is false: every file that is not closed or denied can be read';
    yield risky(
      'reads-everything',
      'tools.fs.workspaceOnly',
      message,
      `set it to true, and list folders in ${ALLOWED}`,
    );
  }
  const workspace = agents.defaults.workspace ?? context.defaultWorkspace;
  const parsed = (list: 'allowedPaths' | 'deniedPaths' | 'dangerouslyReadable') =>
    security[list].map((text) => {
      const { path, access } = parseEntry(list, text);
      return { path: resolve(workspace, path), access };
    });
  const allowed = parsed('allowedPaths');
  const denied = parsed('deniedPaths').filter(({ access }) => access !== 'w');
  for (const { path, access } of allowed) {
    yield* allowedRules(path, access, context);
    const over = denied.find((one) => covers(one.path, path));
    if (over)
      yield risky(
        'allowed-denied',
        ALLOWED,
        `${ALLOWED}: "${path}" is denied by ${DENIED}: "${over.path}"`,
        'remove one of them',
      );
  }
  for (const { path } of denied) {
    if (covers(real(path), real(workspace)) || covers(path, workspace)) {
      const fix = 'deny what lies in it, or choose another workspace';
      yield wrong('denies-workspace', DENIED, `${DENIED}: "${path}" holds the workspace ${workspace}`, fix);
    } else if ([workspace, ...allowed.map((one) => one.path)].some((top) => covers(top, path)) && !existsSync(path)) {
      // Mistyped, or moved by a command while nobody watched.
      const fix = 'correct the path; what was moved is denied no more';
      yield risky('denied-missing', DENIED, `${DENIED}: "${path}" does not exist`, fix);
    }
  }
  for (const { path } of parsed('dangerouslyReadable')) yield* readableRules(path, covers(workspace, path), context);
};

function* allowedRules(path: string, access: string, context: RuleContext): Generator<Finding> {
  const say = `${ALLOWED}: "${path}"`;
  const narrower = 'list the folders that it needs';
  if (path === '/') yield wrong('allows-everything', ALLOWED, `${say} allows everything`, narrower);
  else if (
    covers(path, context.stateDir) ||
    (covers(context.stateDir, path) && !covers(context.defaultWorkspace, path))
  )
    yield wrong('allows-state', ALLOWED, `${say} reaches the state folder with its keys`, 'list folders elsewhere');
  else if (isHome(path, context.home) || holdsKeys(path, context.home))
    yield risky('allows-keys', ALLOWED, `${say} holds keys and logins; those stay denied`, narrower);
  else if (access === 'rw' && isSystemFolder(path))
    yield risky(
      'allows-system',
      ALLOWED,
      `${say} belongs to the system or to everybody`,
      `write "${path}:ro", or a folder in it`,
    );
  else if (!existsSync(path))
    yield risky('allowed-missing', ALLOWED, `${say} does not exist`, 'make it, or remove the entry');
}

/** Said at every start and by every validation: nobody should forget that this is open. */
function* readableRules(path: string, isOwn: boolean, context: RuleContext): Generator<Finding> {
  const what = neverReadable(path, 'read', isOwn);
  if (
    (!isOwn && covers(context.stateDir, path)) ||
    covers(path, context.stateDir) ||
    /^\/(proc|sys|dev)(\/|$)/.test(path)
  )
    yield wrong('readable-never', READABLE, `${READABLE}: "${path}" cannot be opened by any setting`, 'remove it');
  else if (what === null)
    yield risky(
      'readable-needless',
      READABLE,
      `${READABLE}: "${path}" is not among what is closed`,
      `remove it; ${ALLOWED} opens plain folders`,
    );
  else
    yield risky(
      'readable-secret',
      READABLE,
      `DANGEROUS: the assistant, and whoever it listens to, can read ${path} (${what})`,
      `remove it from ${READABLE}`,
    );
}
