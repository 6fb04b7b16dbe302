// Owns what a conversation without a word in it shows: where to begin.
import { useApp, useAppState } from '../app/context.ts';
import { sendMessage } from '../app/sending.ts';
import { Mark } from '../shell/icons.tsx';

const EXAMPLES = [
  { title: 'Look around', text: 'List the files in my workspace' },
  { title: 'Write something down', text: 'Write "milk, bread, coffee" to the file shopping.txt' },
  { title: 'Run a command in the sandbox', text: 'Run the command: uname -a' },
];

export function EmptyConversation({ sessionKey }: { sessionKey: string }) {
  const app = useApp();
  const offline = useAppState((s) => s.status?.offline ?? false);
  return (
    <div class="empty">
      <Mark size={44} />
      <h2>What shall we do?</h2>
      <p class="muted">
        {offline
          ? 'No model key is set yet, so a small built-in model answers. These work right away.'
          : 'Ask anything, or begin with one of these. Tools run inside a sandbox, and what reaches further asks you first.'}
      </p>
      <ul>
        {EXAMPLES.map((example) => (
          <li key={example.title}>
            <button type="button" class="example" onClick={() => sendMessage(app, sessionKey, example.text)}>
              <span class="example-title">{example.title}</span>
              <span class="muted">{example.text}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
