// Owns which places of a person no workspace, box or list of folders should take in: homes, and what holds keys in them.
import { homePlaces, NEVER_IN_BOX } from '../../platform/never-readable.ts';
import { covers } from '../zones.ts';

export const isHome = (path: string, home: string): boolean =>
  path === home || path === '/home' || path === '/Users' || (home !== '/' && covers(path, home));

/** Whether it lies where keys and logins are kept. */
export const holdsKeys = (path: string, home: string): boolean => homePlaces(home).some((one) => covers(one, path));

/** The tree of the system that `path` lies in, or that lies in it, if any. Root's own home is no such tree to root. */
export const systemTree = (path: string, home: string): string | undefined =>
  NEVER_IN_BOX.find(
    (one) => (covers(one, path) && !(one === '/root' && home === '/root' && path !== '/root')) || covers(path, one),
  );
