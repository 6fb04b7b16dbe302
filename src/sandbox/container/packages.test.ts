// What goes into an image, as far as it is decided by words: which packages need which.
import { expect, test } from 'vitest';
import { closure, parseInstalled } from './packages.ts';

const INSTALLED = parseInstalled(
  [
    'git\tinstalled\tlibc6 (>= 2.34), perl, git-man (<< 1:2), less | pager\t',
    'perl\tinstalled\tperl-base (= 5.36)\tlibjson-pp-perl (= 4)',
    'perl-base\tinstalled\tlibc6\t',
    'libc6:amd64\tinstalled\tlibgcc-s1\t',
    'libgcc-s1:amd64\tinstalled\tlibc6 (>= 2.35)\t',
    'mawk\tinstalled\t\tawk',
    'openssh-server\tinstalled\tlibc6\t',
    'less\tconfig-files\t\t',
  ].join('\n'),
);

test('a package brings what it needs, also in a circle, and nothing that only happens to be installed', () => {
  expect(closure(['git'], INSTALLED)).toEqual(['git', 'libc6:amd64', 'libgcc-s1:amd64', 'perl', 'perl-base']);
});

test('what another package provides is found by that name; what is not installed is left out', () => {
  expect(closure(['awk', 'less', 'no-such-package'], INSTALLED)).toEqual(['mawk']);
});
