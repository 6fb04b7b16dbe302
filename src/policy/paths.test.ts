import { describe, expect, test } from 'vitest';
import { zonesFor } from '../../test/support/reach.ts';
import { guestIn, OWNER_DM } from '../../test/support/speaker.ts';
import type { Effect } from './effects.ts';
import { foldersShown, judgePaths } from './paths.ts';

const zones = zonesFor('/w', { allowed: ["/srv/it's", '/srv/docs:ro'], denied: ['private'] });
const owner = { speaker: OWNER_DM };
const guest = { speaker: guestIn('dm') };
const judge = (effects: readonly Effect[], who = owner) => judgePaths(who, effects, zones);

test('the model is told of the folders outside the workspace, and of nothing when there are none', () => {
  const more = zonesFor('/w', { allowed: ['/srv/docs:ro', '/srv/data', 'inside:ro'] });
  expect(foldersShown(more)).toBe('- Also within reach, by absolute path: /srv/docs (read only), /srv/data.');
  expect(foldersShown(zonesFor('/w'))).toBe('');
});

describe('what a refused path is answered', () => {
  test('outside: the one command that opens exactly this, with what was allowed before', () => {
    expect(judge([{ kind: 'read', path: '/etc/hostname' }])).toEqual([
      {
        rule: 'deny',
        key: 'security.allowedPaths',
        code: 'PATH_OUTSIDE',
        reason: 'reading /etc/hostname is not allowed: it lies outside the workspace and security.allowedPaths',
        fix: `openclaw config set security.allowedPaths '["/srv/it'\\''s","/srv/docs:ro","/etc/hostname:ro"]'`,
        marks: ['/etc/hostname'],
      },
    ]);
    expect(judge([{ kind: 'write', path: '/srv/docs/a' }])).toMatchObject([
      { code: 'PATH_READ_ONLY', fix: expect.stringContaining('"/srv/docs/a"]') },
    ]);
  });
  test('denied: the setting that says so; closed for good: no command at all', () => {
    expect(judge([{ kind: 'read', path: 'private/a' }])).toMatchObject([
      { code: 'PATH_DENIED', key: 'security.deniedPaths', fix: 'openclaw config get security.deniedPaths' },
    ]);
    expect(judge([{ kind: 'read', path: '.env' }])).toMatchObject([
      { code: 'PATH_DENIED', key: 'security.dangerouslyReadable', fix: '' },
    ]);
    expect(judge([{ kind: 'read', path: '/nowhere/state/credentials/x' }])).toMatchObject([
      { code: 'PATH_DENIED', key: 'built in' },
    ]);
  });
  test('each effect of a call is judged, and nothing else of it', () => {
    expect(
      judge([
        { kind: 'read', path: '/srv/docs/a' },
        { kind: 'write', path: '/srv/docs/a' },
        { kind: 'run', command: 'cat /etc/hostname', cwd: '.', where: 'sandbox' },
      ]),
    ).toHaveLength(1);
    expect(judge([{ kind: 'write', path: 'notes/a.md' }])).toEqual([]);
  });
  test('what is allowed outside the workspace is allowed to the owner alone, and others are told no command', () => {
    expect(judge([{ kind: 'read', path: '/srv/docs/a' }])).toEqual([]);
    expect(judge([{ kind: 'read', path: 'a' }], guest)).toEqual([]);
    for (const path of ['/srv/docs/a', '/etc/hostname', 'private/a'])
      expect(judge([{ kind: 'read', path }], guest)).toMatchObject([
        { rule: 'deny', fix: 'name a file in the workspace' },
      ]);
  });
});
