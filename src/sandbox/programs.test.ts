import { expect, test } from 'vitest';
import { howToAllow } from './programs.ts';

test('says which switch of the kernel forbids it, and how to turn it', () => {
  const set = (path: string, value: string) => howToAllow((asked) => (asked === path ? `${value}\n` : null));
  expect(set('user/max_user_namespaces', '0')).toBe('sysctl user.max_user_namespaces=15000');
  expect(set('kernel/apparmor_restrict_unprivileged_userns', '1')).toContain('apparmor_restrict_unprivileged_userns=0');
  expect(set('kernel/unprivileged_userns_clone', '1')).toContain('outside of a container');
});
