// Owns the list of checks of group Secrets that look at files, in the order in which they are told.
import type { Check } from '../../check.ts';
import { VALUE_CHECKS } from './by-value.ts';
import { FOLDER_CHECKS } from './folder.ts';
import { GIT_CHECKS } from './git.ts';
import { MODE_CHECKS } from './modes.ts';
import { STORED_CHECKS } from './stored.ts';

export const STATE_CHECKS: readonly Check[] = [
  ...FOLDER_CHECKS,
  ...MODE_CHECKS,
  ...STORED_CHECKS,
  ...GIT_CHECKS,
  ...VALUE_CHECKS,
];
