// Owns the program that tests of the web run: `gateway run` as it is, to which every name leads to this machine. It is
// bundled like the program itself before it is started.
import { run } from '../../src/cli/commands/gateway-run.ts';
import { createOutput } from '../../src/cli/output.ts';

const out = createOutput(process, process.env, false);
process.exitCode = await run(
  { out, env: process.env },
  {},
  {
    dangerousWeb: { resolve: async () => ['127.0.0.1'], isAllowed: (address) => address === '127.0.0.1' },
  },
);
