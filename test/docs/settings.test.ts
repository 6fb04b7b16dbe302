// Owns the promise that docs/settings.md is what the schema says: no setting is missing, and none is made up.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settingsPage } from '../../scripts/settings-table.ts';
import { REPO } from '../support/gateway.ts';

test('docs/settings.md is what the schema generates: node scripts/settings-table.ts > docs/settings.md', () => {
  expect(readFileSync(join(REPO, 'docs', 'settings.md'), 'utf8')).toBe(settingsPage());
});
