// Owns linking WhatsApp to a phone. Whoever scans the code becomes part of the account, so it is shown only while this is
// open, and kept nowhere.
import { useEffect, useState } from 'preact/hooks';
import { type App, reasonOf, useApp, useAppState } from '../app/context.ts';
import { fetchPeople } from '../app/people.ts';
import type { Problem } from '../protocol/people.ts';
import { readLink } from '../protocol/people.ts';
import { Dialog } from '../shell/dialog.tsx';
import { Spinner } from '../shell/icons.tsx';
import { plainLine } from '../shell/visible.tsx';
import { Fix } from './who.tsx';
import { sentence } from './words.ts';

export function LinkPhone({ account, fix }: { account: string; fix: string }) {
  const can = useAppState((s) => s.hello?.methods.has('web.login.start') ?? false);
  const [open, setOpen] = useState(false);
  return (
    <>
      {can && (
        <p class="link-phone">
          <button type="button" class="primary" onClick={() => setOpen(true)}>
            Link a phone
          </button>
          <span class="muted">or, in a terminal:</span>
        </p>
      )}
      <Fix fix={fix} />
      {open && <LinkDialog account={account} onClose={() => setOpen(false)} />}
    </>
  );
}

type View = { readonly message: string; readonly qr: string };

function LinkDialog({ account, onClose }: { account: string; onClose: () => void }) {
  const app = useApp();
  const [view, setView] = useState<View>({ message: 'asking the gateway', qr: '' });
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const closed = new AbortController();
    link(app, account, closed.signal, setView)
      .then((linked) => {
        if (!linked) return;
        app.say('The phone is linked');
        onClose();
        void fetchPeople(app);
      })
      .catch((error: unknown) => {
        const { message, fix } = reasonOf(error);
        setProblem({ reason: message, fix });
      });
    return () => closed.abort();
  }, []);
  return (
    <Dialog title="Link a phone" onClose={onClose}>
      {problem ? (
        <div class="trouble is-bad" role="alert">
          <p>{sentence(plainLine(problem.reason))}</p>
          <Fix fix={problem.fix} />
        </div>
      ) : (
        <>
          <p class="link-words" role="status">
            {view.qr === '' && <Spinner />} {sentence(plainLine(view.message))}
          </p>
          {view.qr !== '' && <img class="qr" src={view.qr} alt="QR code for the camera of WhatsApp on your phone" />}
        </>
      )}
      <div class="dialog-actions">
        <button type="button" class="plain" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

/** False: the dialog was closed before the phone had taken it. */
async function link(app: App, account: string, closed: AbortSignal, show: (view: View) => void): Promise<boolean> {
  let now = readLink(await app.request('web.login.start', { accountId: account }));
  while (!closed.aborted && !now.linked) {
    show(now);
    const seen = now.qr === '' ? {} : { currentQrDataUrl: now.qr };
    now = readLink(await app.request('web.login.wait', { accountId: account, ...seen }));
  }
  return now.linked;
}
