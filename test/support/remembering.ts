// Owns the parts of a tool's surroundings that remember, for tests of tools that have nothing to do with it: nothing is
// recorded, so that everything is of unknown origin.
import { label, UNTRUSTED } from '../../src/store/label.ts';
import type { ToolEnv } from '../../src/tools/tool.ts';

export const FORGETFUL: Pick<ToolEnv, 'provenance' | 'memory'> = {
  provenance: {
    labelRead: (_data, path) => label('untrusted', 'owner', `file:${path}`),
    labelOfLines: () => UNTRUSTED,
    check: () => {},
    record: () => {},
  },
  memory: () => Promise.reject(new Error('there is no memory')),
};
