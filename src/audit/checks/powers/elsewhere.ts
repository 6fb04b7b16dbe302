// Owns the checks of what other versions offer and this one does not: whoever writes such a key believes that it holds. Each
// has the id under which it is known there. It looks at what the configuration says of itself.
import type { Check, Group } from '../../check.ts';
import { overIn, whenSaid } from '../over.ts';

type Key = { readonly key: RegExp; readonly pass: string; readonly why: string };

const elsewhere =
  (group: Group) =>
  (id: string, title: string, { key, ...more }: Key): Check =>
    overIn(group)(id, title, {
      ...more,
      look: whenSaid(['not-offered', 'no-effect', 'unknown-key', 'bad-value'], { key }),
    });
const outside = elsewhere('Reachable from outside');
const people = elsewhere('Who can talk');
const powers = elsewhere('What it can do');
const supply = elsewhere('Supply chain');

export const ELSEWHERE_CHECKS: readonly Check[] = [
  outside('gateway.real_ip_fallback_enabled', 'Can nobody claim another address?', {
    key: /^gateway\.allowRealIpFallback$/,
    pass: 'Addresses are never taken from X-Real-IP',
    why: 'whoever sends the header is never locked out',
  }),
  outside('gateway.control_ui.host_header_origin_fallback', 'Is the page always checked?', {
    key: /^gateway\.controlUi\.(dangerously|allowInsecure)/,
    pass: 'The page is always checked',
    why: 'a page in your browser speaks with the gateway under a name of its own',
  }),
  outside('gateway.http.endpoints_enabled', 'Is there no further interface over HTTP?', {
    key: /^gateway\.(http|tools)\b/,
    pass: 'HTTP: liveness and status, nothing that runs a turn',
    why: 'whoever has the token runs turns and tools without a trace in a chat',
  }),
  outside('gateway.terminal_enabled', 'Is there no terminal in the page?', {
    key: /^gateway\.terminal\b/,
    pass: 'No terminal is offered',
    why: 'whoever gets into the page has a shell on the machine',
  }),
  outside('gateway.nodes.allow_commands_dangerous', 'Do other devices run nothing for it?', {
    key: /^gateway\.nodes\b/,
    pass: 'No device runs commands for it',
    why: 'commands run on your other devices',
  }),
  outside('gateway.tls_misplaced', 'Is TLS done where it works?', {
    key: /^gateway\.tls\b/,
    pass: 'TLS: by Tailscale or a proxy in front, where it is used',
    why: 'you believe the connection to be encrypted, and it is not',
  }),
  outside('discovery.mdns_full_mode', 'Is it not announced on the network?', {
    key: /^discovery\b/,
    pass: 'Network discovery: nothing is announced',
    why: 'everybody on the network is told that it is here, and where',
  }),
  people('channels.allowFrom.dangerous_name_matching_enabled', 'Is nobody let in by a name?', {
    key: /^channels\..*dangerouslyAllowNameMatching$/,
    pass: 'Nobody is let in by a name',
    why: 'whoever takes the name is let in',
  }),
  people('channels.config_writes_enabled', 'Can no chat change the configuration?', {
    key: /^channels\..*configWrites$|^commands\.(bash|config|debug|mcp|plugins|restart)$/,
    pass: 'No chat changes the configuration or runs a shell',
    why: 'whoever is heard in a chat changes what holds him back',
  }),
  people('tools.policies_misplaced', 'Do rules for tools stand where they hold?', {
    key: /^channels\..*groups\..*\.(tools|toolsBySender)\b/,
    pass: 'Rules for tools stand where they hold',
    why: 'the rule does not hold, and the group has what you meant to take from it',
  }),
  outside('hooks.request_session_key_enabled', 'Can a webhook not choose whose conversation it speaks in?', {
    key: /^hooks\.(allowRequestSessionKey|allowedSessionKeyPrefixes|defaultSessionKey|gmail|mappings|transformsDir)\b/,
    pass: 'A webhook has a conversation of its own',
    why: 'whoever has the token of webhooks speaks in your own conversation',
  }),
  powers('tools.exec.host_sandbox_no_sandbox_defaults', 'Do commands run in the box alone?', {
    key: /^tools\.exec\.(host|node|applyPatch)\b/,
    pass: 'Commands run in the box alone',
    why: 'commands would run on the machine itself',
  }),
  powers('tools.elevated.default_on', 'Does a conversation begin inside the box?', {
    key: /^agents\.(defaults|entries\..*)\.elevatedDefault$/,
    pass: 'Leaving the box is asked for each time',
    why: 'each conversation begins outside the box',
  }),
  powers(
    'security.trust_model.cross_agent_session_access_default',
    'Does no agent read the conversations of another?',
    {
      key: /^tools\.(agentToAgent|sessions)\b/,
      pass: 'Agents and conversations do not read each other',
      why: 'what one was told in confidence, another one tells',
    },
  ),
  powers('tools.message.cross_context', 'Does it write elsewhere only with your yes?', {
    key: /^tools\.message\b/,
    pass: 'Writing elsewhere is always asked for',
    why: 'it carries what it read in one chat into another',
  }),
  powers('browser.dangerous_options', 'Is the browser one of its own, behind its walls?', {
    key: /^browser\.(evaluateEnabled|noSandbox|allowSystemProfileImport|attachOnly|cdpUrl|extensionRelay)\b/,
    pass: 'A browser would be one of its own',
    why: 'it would drive your own browser, with your own logins',
  }),
  supply('plugins.extensions_no_allowlist', 'Is no foreign code loaded into the gateway?', {
    key: /^plugins\b/,
    pass: 'Plugins: no foreign code is loaded into the gateway',
    why: 'foreign code in the gateway has every key and every conversation',
  }),
];
