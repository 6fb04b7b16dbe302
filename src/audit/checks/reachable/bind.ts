// Owns the checks of where the gateway listens and whether it asks who is there. It looks at settings; what really listens is
// looked at by --deep.
import { networkInterfaces } from 'node:os';
import { listenHosts } from '../../../config/listen.ts';
import type { Config } from '../../../config/schema.ts';
import type { Check, Facts, Finding } from '../../check.ts';
import { found } from '../../looking.ts';
import { advise } from '../../mend.ts';
import { overIn } from '../over.ts';

const over = overIn('Reachable from outside');

const hostsOf = ({ gateway }: Config): ReturnType<typeof listenHosts> =>
  listenHosts(
    gateway,
    Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)),
  );

const isLocal = (settings: Config): boolean => {
  const hosts = hostsOf(settings);
  return 'hosts' in hosts && hosts.loopback;
};

/** Back to this machine alone, with nothing left of the way out. */
function local(facts: Facts, { gateway }: Config): Pick<Finding, 'fix' | 'where'> {
  return advise(facts, {
    'gateway.bind': 'loopback',
    ...(gateway.customBindHost === undefined ? {} : { 'gateway.customBindHost': null }),
    ...(gateway.dangerouslyExposeToNetwork ? { 'gateway.dangerouslyExposeToNetwork': null } : {}),
  });
}

export const BIND_CHECKS: readonly Check[] = [
  over('gateway.bind_network_accessible', 'Can other machines reach the gateway?', {
    why: 'whoever reaches it can try the door, and the token crosses that network in the clear; an SSH tunnel or Tailscale Serve needs neither',
    rows: ['S005', 'S011', 'S016', 'S030', 'S042', 'S045', 'S055', 'S083', 'S144', 'S146', 'S150', 'S241', 'S243'],
    isMain: true,
    pass: 'Gateway bind: 127.0.0.1 (local-only)',
    *look(settings, facts) {
      const { bind, dangerouslyExposeToNetwork } = settings.gateway;
      const hosts = hostsOf(settings);
      if ('reason' in hosts) yield found('CRITICAL', hosts.reason, local(facts, settings));
      else if (!hosts.loopback)
        yield found(
          !dangerouslyExposeToNetwork ? 'CRITICAL' : bind === 'tailnet' ? 'INFO' : 'WARNING',
          `gateway.bind is "${bind}": it listens on ${hosts.hosts.join(' and ')}`,
          local(facts, settings),
        );
    },
  }),
  auth('gateway.bind_no_auth', 'Must everybody prove who they are who comes over the network?', false),
  auth('gateway.loopback_no_auth', 'Must everybody prove who they are who comes from this machine?', true),
  over('gateway.port_shared', 'Has each door a port of its own?', {
    why: 'two that want the same port: one of them does not come up, or the wrong one answers',
    pass: ({ gateway }) => `Gateway port: ${gateway.port}`,
    *look({ gateway, channels: { slack } }, facts) {
      if (slack?.enabled && slack.mode === 'http' && slack.port === gateway.port)
        yield found(
          'WARNING',
          `channels.slack.port is ${slack.port}, which is the port of the gateway`,
          advise(facts, { 'channels.slack.port': slack.port === 18_797 ? 18_798 : 18_797 }),
        );
    },
  }),
];

function auth(id: string, title: string, ofLoopback: boolean): Check {
  return over(id, title, {
    why: 'every program and every account that reaches the port commands the assistant, and a page in your browser may be one of them',
    rows: ['S097', 'S102', 'S147', 'S151', 'S245', 'S257'],
    ...(ofLoopback ? { isMain: true } : {}),
    pass: ({ gateway }) =>
      ofLoopback ? `Gateway authentication: ${gateway.auth.mode}` : 'Nothing is reachable without authentication',
    *look(settings, facts) {
      const { auth: door } = settings.gateway;
      if (door.mode !== 'none' || isLocal(settings) !== ofLoopback) return;
      yield found(
        'CRITICAL',
        'gateway.auth.mode is "none": nobody is asked for a token',
        advise(facts, {
          'gateway.auth.mode': 'token',
          ...(door.dangerouslyDisableAuth ? { 'gateway.auth.dangerouslyDisableAuth': null } : {}),
        }),
      );
    },
  });
}
