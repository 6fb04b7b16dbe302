// Owns boxes for programs that are no command of a conversation: a folder of their own or the workspace, the hosts that
// are listed for them, and the same walls. It must never hand out one that another program uses.
import { HardshellError } from '../../platform/errors.ts';
import type { Sandbox } from '../driver.ts';
import { driversFor, openBestDriver } from './drivers.ts';
import type { Plan } from './plan.ts';
import { prepare, type SpecPorts } from './spec.ts';

export type ApartPorts = SpecPorts & { readonly env: Readonly<Record<string, string | undefined>> };

export async function openApart(plan: Plan, ports: ApartPorts): Promise<Sandbox> {
  const ready = await prepare(plan, ports, () => []);
  try {
    const choice = await openBestDriver(driversFor(plan.backend, ports.env), ready.spec);
    if (choice.sandbox !== null) {
      const { sandbox } = choice;
      return {
        ...sandbox,
        async close() {
          await sandbox.close();
          await ready.close();
        },
      };
    }
    const message = choice.refusals.map(({ reason }) => reason).join('; ');
    const fix = choice.refusals.find((one) => one.fix !== '')?.fix ?? '';
    throw new HardshellError({ code: 'SANDBOX_UNAVAILABLE', message, fix });
  } catch (error) {
    await ready.close();
    throw error;
  }
}
