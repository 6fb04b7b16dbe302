// Owns the checks of what other versions offer and this one does not: whoever writes such a key believes that it holds. Each
// has the id under which it is known there. It looks at what the configuration says of itself.
import type { Check, Group } from '../../check.ts';
import { overIn, saidOf, told } from '../over.ts';

type Row = readonly [id: string, group: Group, key: RegExp, title: string, pass: string, why: string];

const OUTSIDE: Group = 'Reachable from outside';
const PEOPLE: Group = 'Who can talk';
const POWERS: Group = 'What it can do';

const ROWS: readonly Row[] = [
  [
    'gateway.real_ip_fallback_enabled',
    OUTSIDE,
    /^gateway\.allowRealIpFallback$/,
    'Can nobody claim another address?',
    'Addresses are never taken from X-Real-IP',
    'whoever sends the header is never locked out',
  ],
  [
    'gateway.control_ui.host_header_origin_fallback',
    OUTSIDE,
    /^gateway\.controlUi\.(dangerously|allowInsecure)/,
    'Is the page always checked?',
    'The page is always checked',
    'a page in your browser speaks with the gateway under a name of its own',
  ],
  [
    'gateway.http.endpoints_enabled',
    OUTSIDE,
    /^gateway\.(http|tools)\b/,
    'Is there no further interface over HTTP?',
    'HTTP: liveness and status, nothing that runs a turn',
    'whoever has the token runs turns and tools without a trace in a chat',
  ],
  [
    'gateway.terminal_enabled',
    OUTSIDE,
    /^gateway\.terminal\b/,
    'Is there no terminal in the page?',
    'No terminal is offered',
    'whoever gets into the page has a shell on the machine',
  ],
  [
    'gateway.nodes.allow_commands_dangerous',
    OUTSIDE,
    /^gateway\.nodes\b/,
    'Do other devices run nothing for it?',
    'No device runs commands for it',
    'commands run on your other devices',
  ],
  [
    'gateway.tls_misplaced',
    OUTSIDE,
    /^gateway\.tls\b/,
    'Is TLS done where it works?',
    'TLS: by Tailscale or a proxy in front, where it is used',
    'you believe the connection to be encrypted, and it is not',
  ],
  [
    'discovery.mdns_full_mode',
    OUTSIDE,
    /^discovery\b/,
    'Is it not announced on the network?',
    'Network discovery: nothing is announced',
    'everybody on the network is told that it is here, and where',
  ],
  [
    'channels.allowFrom.dangerous_name_matching_enabled',
    PEOPLE,
    /^channels\..*dangerouslyAllowNameMatching$/,
    'Is nobody let in by a name?',
    'Nobody is let in by a name',
    'whoever takes the name is let in',
  ],
  [
    'channels.config_writes_enabled',
    PEOPLE,
    /^channels\..*configWrites$|^commands\.(bash|config|debug|mcp|plugins|restart)$/,
    'Can no chat change the configuration?',
    'No chat changes the configuration or runs a shell',
    'whoever is heard in a chat changes what holds him back',
  ],
  [
    'tools.policies_misplaced',
    PEOPLE,
    /^channels\..*groups\..*\.(tools|toolsBySender)\b/,
    'Do rules for tools stand where they hold?',
    'Rules for tools stand where they hold',
    'the rule does not hold, and the group has what you meant to take from it',
  ],
  [
    'hooks.request_session_key_enabled',
    OUTSIDE,
    /^hooks\.(allowRequestSessionKey|allowedSessionKeyPrefixes|defaultSessionKey|gmail|mappings|transformsDir)\b/,
    'Can a webhook not choose whose conversation it speaks in?',
    'A webhook has a conversation of its own',
    'whoever has the token of webhooks speaks in your own conversation',
  ],
  [
    'tools.exec.host_sandbox_no_sandbox_defaults',
    POWERS,
    /^tools\.exec\.(host|node|applyPatch)\b/,
    'Do commands run in the box alone?',
    'Commands run in the box alone',
    'commands would run on the machine itself',
  ],
  [
    'tools.elevated.default_on',
    POWERS,
    /^agents\.(defaults|entries\..*)\.elevatedDefault$/,
    'Does a conversation begin inside the box?',
    'Leaving the box is asked for each time',
    'each conversation begins outside the box',
  ],
  [
    'security.trust_model.cross_agent_session_access_default',
    POWERS,
    /^tools\.(agentToAgent|sessions)\b/,
    'Does no agent read the conversations of another?',
    'Agents and conversations do not read each other',
    'what one was told in confidence, another one tells',
  ],
  [
    'tools.message.cross_context',
    POWERS,
    /^tools\.message\b/,
    'Does it write elsewhere only with your yes?',
    'Writing elsewhere is always asked for',
    'it carries what it read in one chat into another',
  ],
  [
    'browser.dangerous_options',
    POWERS,
    /^browser\.(evaluateEnabled|noSandbox|allowSystemProfileImport|attachOnly|cdpUrl|extensionRelay)\b/,
    'Is the browser one of its own, behind its walls?',
    'A browser would be one of its own',
    'it would drive your own browser, with your own logins',
  ],
  [
    'plugins.extensions_no_allowlist',
    'Supply chain',
    /^plugins\b/,
    'Is no foreign code loaded into the gateway?',
    'Plugins: no foreign code is loaded into the gateway',
    'foreign code in the gateway has every key and every conversation',
  ],
];

export const ELSEWHERE_CHECKS: readonly Check[] = ROWS.map(([id, group, key, title, pass, why]) =>
  overIn(group)(id, title, {
    why,
    pass,
    look: (_, facts) => told(facts, saidOf(facts, ['not-offered', 'no-effect', 'unknown-key', 'bad-value'], key)),
  }),
);
