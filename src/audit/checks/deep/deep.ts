// Owns the list of checks that probe instead of reading (--deep), besides those that stand with their own subject.
import type { Check } from '../../check.ts';
import { DOOR_CHECKS } from './door.ts';
import { INSIDE_CHECKS } from './inside.ts';

export const DEEP_CHECKS: readonly Check[] = [...DOOR_CHECKS, ...INSIDE_CHECKS];
