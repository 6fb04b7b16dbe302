// Owns the list of checks. What stands here is asked by every audit; nothing else is.
import type { Check } from '../check.ts';

export const CHECKS: readonly Check[] = [];
