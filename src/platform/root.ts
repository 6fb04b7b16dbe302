// Owns access to files below one trusted folder. A path that reaches outside (by `..`, symlink, hard link, device or a
// rename in between) is refused; it must never fall back to plain path checks on Linux.

export type Entry = { readonly name: string; readonly kind: 'file' | 'folder' | 'other'; readonly bytes: number; readonly modifiedAtMs: number };

/** A trusted folder. Every `path` is relative to it; failures are HardshellErrors with a code and a fix. */
export interface Root {
  /** absolute path, for people to read; never pass it on to open a file */
  readonly path: string;
  /** Refuses links, devices, files with more than one name, and files over `maxBytes`. */
  read(path: string, maxBytes: number): Promise<Buffer>;
  tryRead(path: string, maxBytes: number): Promise<Buffer | null>;
  /** Fails if it exists. Makes parent folders (0700). */
  create(path: string, data: Buffer | string, mode?: number): Promise<void>;
  /** Makes or replaces, atomically (temporary file, fsync, rename in the same folder). */
  replace(path: string, data: Buffer | string, mode?: number): Promise<void>;
  /** Sorted by name; at most `limit` entries. */
  list(path: string, limit: number): Promise<{ readonly entries: readonly Entry[]; readonly truncated: boolean }>;
  close(): Promise<void>;
}
