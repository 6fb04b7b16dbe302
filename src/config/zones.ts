// Owns where files may be read and written: workspace, allowed and denied paths, and what is never readable, as one ruling.
// It judges absolute paths as names; whoever opens something judges its real path here once more.
import { realpathSync } from 'node:fs';
import { normalize, resolve } from 'node:path';
import { foldPath, neverReadable } from '../platform/never-readable.ts';
import { parseEntry } from './path-entries.ts';
import type { Config } from './schema.ts';

export type Access = 'read' | 'write';
/** `path` as it was written, absolute; `spellings` also where it really leads now. */
export type Zone = { readonly path: string; readonly spellings: readonly string[]; readonly access: string };

export type Zones = {
  /** absolute; the first is the real one */
  readonly workspace: readonly string[];
  readonly allowed: readonly Zone[];
  readonly denied: readonly Zone[];
  readonly lifted: readonly Zone[];
  /** whatever is not denied may be read (tools.fs.workspaceOnly: false) */
  readonly readsAll: boolean;
  /** the state folder and the configuration */
  readonly closed: readonly Zone[];
};

/** `opens` is the entry that would allow it, where one can. */
export type Ruling =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: 'PATH_DENIED' | 'PATH_OUTSIDE' | 'PATH_READ_ONLY';
      readonly key: string;
      readonly why: string;
      readonly opens?: string;
    };

export type ZoneSettings = {
  readonly security: Pick<Config['security'], 'allowedPaths' | 'deniedPaths' | 'dangerouslyReadable'>;
  readonly workspaceOnly: boolean;
};
export type ZonePlaces = {
  readonly workspace: string;
  readonly stateDir: string;
  readonly configPath: string;
};

export function zonesOf({ security, workspaceOnly }: ZoneSettings, places: ZonePlaces): Zones {
  const top = real(places.workspace);
  const zone = (path: string, access: string): Zone => {
    const absolute = normalize(resolve(top, path)).replace(/(.)\/+$/, '$1');
    return { path: absolute, access, spellings: [...new Set([absolute, real(absolute)])] };
  };
  const listed = (list: 'allowedPaths' | 'deniedPaths' | 'dangerouslyReadable'): Zone[] =>
    security[list].map((text) => {
      const { path, access } = parseEntry(list, text);
      return zone(path, access);
    });
  return {
    workspace: [...new Set([top, places.workspace])],
    allowed: listed('allowedPaths'),
    denied: listed('deniedPaths'),
    lifted: listed('dangerouslyReadable'),
    readsAll: !workspaceOnly,
    closed: [zone(places.stateDir, 'rw'), zone(places.configPath, 'rw')],
  };
}

/** Those of the configuration as it is at each call, worked out once for each. */
export function followZones(config: () => Pick<Config, 'security' | 'tools'>, places: ZonePlaces): () => Zones {
  let made: { readonly from: unknown; readonly zones: Zones } | null = null;
  return () => {
    const from = config();
    if (made?.from !== from) {
      const { security, tools } = from;
      made = { from, zones: zonesOf({ security, workspaceOnly: tools.fs.workspaceOnly }, places) };
    }
    return made.zones;
  };
}

/** What stands at the absolute, normal `path`. Denials first; then the nearest allowed folder says. */
export function ruleOn(zones: Zones, path: string, access: Access): Ruling {
  const isOwn = zones.workspace.some((top) => covers(top, path));
  const denied = zones.denied.find((zone) => deniesIt(zone, path, access));
  if (denied)
    return {
      ok: false,
      code: 'PATH_DENIED',
      key: 'security.deniedPaths',
      why: `security.deniedPaths names ${denied.path}`,
    };
  if (!isOwn && zones.closed.some(({ spellings }) => spellings.some((one) => covers(foldPath(one), foldPath(path)))))
    return {
      ok: false,
      code: 'PATH_DENIED',
      key: 'built in',
      why: 'the state folder with its keys is never open to tools',
    };
  const secret = neverReadable(path, access, isOwn);
  if (secret !== null && !(access === 'read' && isLifted(zones, path)))
    return {
      ok: false,
      code: 'PATH_DENIED',
      key: 'security.dangerouslyReadable',
      why: `it is closed whatever is allowed: ${secret}`,
    };
  const nearest = nearestOf(zones, path);
  if (nearest?.access === 'rw' || (access === 'read' && (nearest !== null || zones.readsAll))) return { ok: true };
  const opens = access === 'read' ? `${path}:ro` : path;
  if (nearest !== null)
    return {
      ok: false,
      code: 'PATH_READ_ONLY',
      key: 'security.allowedPaths',
      why: `${nearest.path} may only be read`,
      opens,
    };
  return {
    ok: false,
    code: 'PATH_OUTSIDE',
    key: 'security.allowedPaths',
    why: 'it lies outside the workspace and security.allowedPaths',
    opens,
  };
}

/** The innermost allowed folder that holds `path`, the workspace among them; of two for one folder, the narrower. */
function nearestOf(zones: Zones, path: string): { readonly path: string; readonly access: string } | null {
  const own: Zone = { path: 'the workspace', access: 'rw', spellings: zones.workspace };
  const [nearest] = [own, ...zones.allowed]
    .flatMap(({ spellings, ...zone }) =>
      spellings.filter((one) => covers(one, path)).map(({ length }) => ({ ...zone, length })),
    )
    .sort((a, b) => b.length - a.length || (a.access === 'ro' ? -1 : 1));
  return nearest ?? null;
}

/** Folded, so that no other spelling of a denied name gets by on a disk that takes them for one. */
const deniesIt = (zone: Zone, path: string, access: Access): boolean =>
  (access === 'write' || zone.access !== 'w') && spelledIn(zone, path);
const spelledIn = ({ spellings }: Zone, path: string): boolean =>
  spellings.some((one) => covers(foldPath(one), foldPath(path)));

/** Nothing lifts what the kernel tells about running programs: their memory holds every key. */
const isLifted = ({ lifted }: Zones, path: string): boolean =>
  !/^\/(proc|sys|dev)\//.test(path) && lifted.some(({ spellings }) => spellings.some((one) => covers(one, path)));

/** `inner` is `outer` or lies in it. */
export function covers(outer: string, inner: string): boolean {
  return outer === '' || inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`);
}

/** Where a path really leads, as far as it exists. */
export function real(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
