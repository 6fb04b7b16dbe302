// Owns which folders of a machine belong to no single program, so that every room refuses the same ones as a place of
// ours. It judges real paths only, and must never look at the disk.

/** These themselves; what lies in them may be somebody's own. */
const SHARED = new Set('/ /home /media /mnt /opt /root /run /srv /tmp /var /var/lib /var/tmp'.split(' '));
/** These and all in them. */
const TREES = ['/bin', '/boot', '/dev', '/etc', '/lib', '/lib64', '/proc', '/sbin', '/sys', '/usr'];

/** `path` is absolute, normal and without links. */
export const isSystemFolder = (path: string): boolean =>
  SHARED.has(path) || TREES.some((tree) => path === tree || path.startsWith(`${tree}/`));
