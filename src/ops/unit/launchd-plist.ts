// Owns the text of the launchd agent for macOS. Pure: facts in, text out. It must never hold a secret: agents are
// readable by whoever reads the home folder's backups.
import { join } from 'node:path';
import type { UnitFacts } from './systemd-unit.ts';

export const LABEL = 'ai.hardshell.gateway';

export function launchdPlist(facts: UnitFacts): string {
  const strings = (words: readonly string[]): string =>
    words.map((one) => `    <string>${escapeXml(one)}</string>`).join('\n');
  const variables = Object.entries(facts.environment)
    .map(([name, value]) => `    <key>${escapeXml(name)}</key>\n    <string>${escapeXml(value)}</string>`)
    .join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Written by: openclaw gateway install -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${strings(facts.command)}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
${variables}
  </dict>
  <key>WorkingDirectory</key>
  <string>${escapeXml(facts.stateDir)}</string>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>10</integer>
  <key>ExitTimeOut</key>
  <integer>30</integer>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardOutPath</key>
  <string>/dev/null</string>
  <key>StandardErrorPath</key>
  <string>${escapeXml(join(facts.stateDir, 'logs', 'gateway.err'))}</string>
</dict>
</plist>
`;
}

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
