// Owns how a person, a group and a command are shown here. What they call themselves is their own word: as it is, with
// every character without a shape made visible, and never without the id, which nobody can choose.

import { readFix } from '../protocol/people.ts';
import { CopyButton } from '../shell/copy.tsx';
import { Exact, plainLine } from '../shell/visible.tsx';

type Someone = {
  readonly channel: string;
  readonly sender: string;
  readonly account: string;
  readonly isGroup: boolean;
  readonly title: string;
};

/** For buttons, questions and what is said afterwards. */
export const nameOfWho = ({ title, isGroup, sender }: Someone): string =>
  plainLine(title) || `${isGroup ? 'the group' : ''} ${plainLine(sender)}`.trim();

export function Who({ who }: { who: Someone }) {
  const { channel, sender, account, isGroup, title } = who;
  return (
    <div class="who">
      <p class="who-name">
        {title === '' ? (
          <span class="muted">no name</span>
        ) : (
          <bdi>
            <Exact text={title} strict />
          </bdi>
        )}
      </p>
      <p class="who-id">
        <span class="channel">{plainLine(channel)}</span>
        {isGroup ? 'group ' : ''}
        <code>
          <Exact text={sender} strict />
        </code>
        {account !== 'default' && <> at {plainLine(account)}</>}
      </p>
    </div>
  );
}

/** What to do: the command to copy, and what is said about it. */
export function Fix({ fix }: { fix: string }) {
  const { command, words } = readFix(fix);
  return (
    <>
      {command !== '' && <Command text={command} />}
      {words !== '' && <p class="muted fix-words">{plainLine(words)}</p>}
    </>
  );
}

export function Command({ text }: { text: string }) {
  return (
    <div class="command">
      <code>{plainLine(text)}</code>
      <CopyButton text={() => text} label="Copy command" />
    </div>
  );
}
