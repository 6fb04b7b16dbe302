// Owns the checks of tools other than commands: files, browser, what leaves in your name, and bans that ban nothing. It
// looks at settings only.
import type { Finding as Said } from '../../../config/findings.ts';
import type { Check, Facts, Finding } from '../../check.ts';
import { found } from '../../looking.ts';
import { advise, mend, valueAt } from '../../mend.ts';
import { orUnset, overIn, saidOf, told, whenIs } from '../over.ts';

const over = overIn('What it can do');

/** Entries of a list of paths that are complained of, all taken out at once. */
function pathList(
  head: Pick<Check, 'id' | 'title' | 'why' | 'rows'>,
  name: 'allowedPaths' | 'deniedPaths' | 'dangerouslyReadable',
  codes: readonly string[],
  pass: (list: readonly string[]) => string,
): Check {
  const key = `security.${name}`;
  return over(head.id, head.title, {
    ...head,
    pass: ({ security }) => pass(security[name]),
    *look({ security }, facts) {
      const found = saidOf(facts, codes);
      const isBlamed = (entry: string): boolean => {
        const path = entry.replace(/:(ro|rw|w)$/, '').replace(/(.)\/+$/, '$1');
        return found.some(({ message }) => message.includes(`"${path}"`) || message.includes(`${path} (`));
      };
      const left = security[name].filter((entry) => !isBlamed(entry));
      yield* told(facts, found, () =>
        mend(facts, { [key]: left.length > 0 && left.length < security[name].length ? left : null }),
      );
    },
  });
}

const WORKSPACE = [
  'workspace-too-wide',
  'workspace-is-state',
  'workspace-in-state',
  'workspace-is-system',
  'workspace-is-keys',
];

export const TOOL_CHECKS: readonly Check[] = [
  over('fs.workspace.too_wide', 'Is its folder a folder of its own?', {
    why: 'everything in it is read, changed and shown to commands, and this one holds more than its work',
    rows: ['S128', 'S129', 'S244', 'S285'],
    isMain: true,
    pass: ({ agents }, { paths }) => `Workspace: ${agents.defaults.workspace ?? paths.workspaceDir}`,
    look: (_, facts) =>
      told(facts, saidOf(facts, WORKSPACE), ({ key }) => {
        const written = [key, ...(key === 'agents.defaults.workspace' ? ['security.workspace'] : [])].filter(
          (one) => valueAt(facts.inspection?.understood, one.split('.')) !== undefined,
        );
        return { ...advise(facts, Object.fromEntries(written.map((one) => [one, null]))), where: key };
      }),
  }),
  over('tools.fs.workspace_only_off', 'Does it read only its own folder and what you list?', {
    why: 'every file of your account that is not closed by name can be read, and told',
    rows: ['S128', 'S183', 'S285'],
    isMain: true,
    pass: 'Files: its workspace and listed folders only',
    look: whenIs('tools.fs.workspaceOnly', false, 'WARNING'),
  }),
  pathList(
    {
      id: 'security.allowed_paths_wide',
      title: 'Are the folders that it may use as narrow as they can be?',
      why: 'what lies there can be read, changed and told',
      rows: ['S129', 'S183', 'S211'],
    },
    'allowedPaths',
    ['allows-everything', 'allows-state', 'allows-keys', 'allows-system', 'allowed-denied'],
    (list) => `Further folders: ${list.join(', ') || 'none'}`,
  ),
  pathList(
    {
      id: 'security.denied_paths_ineffective',
      title: 'Does each denied path deny something?',
      why: 'what you meant to close is open, or the workspace is closed instead',
      rows: ['S129', 'S184', 'S211'],
    },
    'deniedPaths',
    ['denies-workspace', 'denied-missing'],
    (list) => `Denied beside keys and logins: ${list.join(', ') || 'nothing'}`,
  ),
  pathList(
    {
      id: 'security.dangerously_readable',
      title: 'Are keys and logins closed to it?',
      why: 'whoever talks to it, or writes what it reads, gets at them',
      rows: ['S184', 'S185'],
    },
    'dangerouslyReadable',
    ['readable-secret', 'readable-never', 'readable-needless'],
    () => 'Keys and logins are closed',
  ),
  over('browser.enabled', 'Does it control a browser?', {
    why: 'it is logged in wherever that browser is; with a second factor a stolen session does not open everything',
    rows: ['S012', 'S015', 'S060', 'S061', 'S083'],
    isMain: true,
    pass: 'Browser control: off',
    *look({ browser }, facts) {
      if (browser.enabled)
        yield found(
          'WARNING',
          'Browser control enabled — ensure 2FA on important accounts',
          advise(facts, { 'browser.enabled': null }),
        );
    },
  }),
  over('tools.profile_full', 'Has it no more tools than it needs?', {
    why: 'also tools that reach your other devices are offered to whatever it reads',
    rows: ['S154', 'S195'],
    pass: ({ tools }) => `Tools: ${tools.profile ?? 'coding'}`,
    look: whenIs('tools.profile', 'full', 'INFO', { to: 'coding', by: advise }),
  }),
  over('tools.deny_ineffective', 'Does each ban of a tool ban one?', {
    why: 'a name that no tool has, or a place that nobody writes from, looks like protection and is none',
    rows: ['S039'],
    pass: 'Each ban of a tool bans one',
    look: (_, facts) => told(facts, saidOf(facts, ['tool-unknown', 'policy-place']), (one) => slip(facts, one)),
  }),
  over('tools.loop_detection_off', 'Is a turn stopped that repeats itself?', {
    why: 'it goes round in circles until the budget is empty',
    pass: 'A turn that repeats itself is stopped',
    look: whenIs('tools.loopDetection.enabled', false, 'WARNING'),
  }),
  over('memory.scan_secrets_off', 'Does it refuse to remember secrets?', {
    why: 'a password that somebody pasted stays in a file that each later conversation reads',
    rows: ['S186'],
    pass: 'Memory: refuses secrets',
    *look({ memory }, facts) {
      const key = 'memory.scanSecrets';
      if (memory.enabled && !memory.scanSecrets)
        yield found('WARNING', `${key} is false`, mend(facts, { [key]: null }));
    },
  }),
  ...confirmations(),
];

/** A ban with a slip in it: the right word is in what is said, and the whole list is written anew. */
function slip(facts: Facts, { key, message, code }: Said): Pick<Finding, 'fix' | 'where' | 'repairs'> {
  const place = key.replace(/^tools\.policies\./, '');
  const [, wrong = '', right] = /"([^"]*)"(?:.*did you mean "([^"]*)")?/.exec(message.slice(key.length)) ?? [];
  if (place !== key) {
    const at = `tools.policies[${JSON.stringify(place)}]`;
    return {
      fix: advise(facts, { [code === 'policy-place' ? at : `${at}[${JSON.stringify(wrong)}]`]: null }).fix,
      where: key,
    };
  }
  const list = valueAt(facts.settings, key.split('.'));
  const mended = (Array.isArray(list) ? list : []).flatMap((one) =>
    one !== wrong ? [one] : right === undefined ? [] : [right],
  );
  return { ...mend(facts, { [key]: mended.length > 0 ? mended : null }), where: key };
}

function confirmations(): Check[] {
  const make = (name: 'email' | 'message' | 'destructive' | 'money', title: string, why: string, pass: string): Check =>
    over(`actions.${name}.unconfirmed`, title, {
      why,
      rows: ['S195', 'S209', 'S210', 'S215', 'S216', 'S234'],
      pass,
      look: whenIs(`actions.${name}.requireConfirmation`, false, 'WARNING'),
    });
  return [
    make(
      'email',
      'Are you asked before a mail leaves?',
      'it writes to anybody in your name, with whatever it has read',
      'Mail: you are asked',
    ),
    make(
      'message',
      'Are you asked before a message goes to somebody else?',
      'it writes to anybody in your name, with whatever it has read',
      'Messages to others: you are asked',
    ),
    make(
      'destructive',
      'Are you asked before something is lost for good?',
      'a command that deletes or overwrites runs, and nothing brings it back',
      'What cannot be undone: you are asked',
    ),
    make('money', 'Are you asked before something is paid?', 'it buys and pays unasked', 'Payments: you are asked'),
    over('actions.destructive.trash_off', 'Does what it removes go to the trash?', {
      why: 'what a command removes is gone',
      rows: ['S216'],
      pass: 'What it removes goes to the trash',
      look: whenIs('actions.destructive.useTrash', false, 'WARNING'),
    }),
    over('actions.recipients_anybody', 'Does a list of recipients list some?', {
      why: 'an entry that fits everybody makes the list none',
      rows: ['S209', 'S210'],
      pass: 'No list of recipients fits everybody',
      *look({ actions }, facts) {
        for (const name of ['email', 'message'] as const) {
          const key = `actions.${name}.allowedRecipients`;
          const all = actions[name].allowedRecipients;
          const left = all.filter((one) => !/^[*@.:]*$|^\*@\*(\.\*)?$|^[a-z]+:\*$/.test(one));
          if (left.length < all.length)
            yield found(
              'WARNING',
              `${key} has ${all.filter((one) => !left.includes(one)).join(', ')}`,
              advise(facts, { [key]: orUnset(left) }),
            );
        }
      },
    }),
  ];
}
