// Owns what every command is handed: where it prints, which environment it was started in, which version it is.
import type { Env } from '../config/paths.ts';
import type { Output } from './output.ts';

export type Context = { readonly out: Output; readonly env: Env; readonly version: string };
