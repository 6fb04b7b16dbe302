// The drivers that need no engine: what the first start uses, on every machine. Containers keep the same contract in
// test/long, since an engine has to be started for them, and show the heart of it in test/flows.
import { describe } from 'vitest';
import { bubblewrapDriver } from '../../src/sandbox/bubblewrap.ts';
import { unshareDriver } from '../../src/sandbox/unshare.ts';
import { type Case, sandboxContract } from './sandbox.ts';

const ORDINARY = { uid: 1000, processes: 3, isContainer: false } as const;
const DRIVERS: readonly Case[] = [
  {
    ...{ ...ORDINARY, name: 'bubblewrap', make: () => bubblewrapDriver() },
    source: `(await load('bubblewrap.ts')).bubblewrapDriver()`,
  },
  {
    ...{ ...ORDINARY, name: 'unshare', make: () => unshareDriver() },
    source: `(await load('unshare.ts')).unshareDriver()`,
  },
];

describe.each(DRIVERS)('$name', sandboxContract);
