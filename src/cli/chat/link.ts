// Owns a connection that is made again when it is lost, for as long as the conversation lasts. The gateway is looked up
// each time: after a restart it may have another port or token. The first connection must work, or there is no chat.
import type { Client, GatewayEvent, RequestOptions } from '../client.ts';
import { openClient } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import type { TargetFlags } from '../target.ts';

export type Link = {
  /** null while there is no connection */
  readonly client: Client | null;
  request(method: string, params: unknown, options?: RequestOptions): Promise<unknown>;
  stop(): void;
};
export type LinkHooks = {
  /** after every connection but the first */
  onUp(client: Client): Promise<void>;
  onDown(reason: string): void;
  onEvent(event: GatewayEvent): void;
};

const ASKING = {
  scopes: ['operator.read', 'operator.write', 'operator.approvals'],
  caps: ['tool-events', 'compact-deltas'],
} as const;
const PAUSES_MS = [250, 500, 1000, 2000, 5000];

export async function openLink(context: Context, flags: TargetFlags, hooks: LinkHooks): Promise<Link> {
  let stopped = false;
  let wake = (): void => {};
  let current: Client | null = null;

  const adopt = (client: Client): void => {
    current = client;
    client.onEvent(hooks.onEvent);
    void client.closed.then((reason) => {
      if (current !== client) return;
      current = null;
      if (stopped) return;
      hooks.onDown(reason.message);
      void again();
    });
  };
  const again = async (): Promise<void> => {
    for (let attempt = 0; !stopped; attempt += 1) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)]).unref();
      });
      if (stopped) return;
      try {
        const { client } = await openClient(context, flags, { ...ASKING, quiet: true });
        if (stopped) return client.close();
        adopt(client);
        await hooks.onUp(client);
        return;
      } catch {
        // Not back yet, or gone again: the next round.
        if (current) return;
      }
    }
  };
  adopt((await openClient(context, flags, ASKING)).client);
  return {
    get client() {
      return current;
    },
    request: (method, params, options) => {
      if (!current) return Promise.reject(new Error('not connected'));
      return current.request(method, params, options);
    },
    stop() {
      stopped = true;
      wake();
      current?.close();
    },
  };
}
