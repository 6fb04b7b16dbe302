// Owns linking a channel to a phone from within the gateway: one attempt for an account at a time, what its code looks like
// now, and waiting for the next. What the code says is a secret: it is drawn, and is in no log, no journal and no file.
import { HardshellError, reasonOf } from '../platform/errors.ts';
import type { Login } from './channel.ts';

export type LinkView = {
  /** the code to be scanned, as a picture; null while there is none yet */
  readonly qrDataUrl: string | null;
  readonly linked: boolean;
  readonly message: string;
};
export type LinkingPorts = {
  /** of a channel that runs; undefined: there is none, or it needs no phone */
  login(account: string): Login | undefined;
  /** fetches what is missing; about a minute at first */
  prepare(): Promise<void>;
  draw(text: string): Promise<string>;
  /** the channel can connect now */
  linked(): void;
};
type Attempt = { view: LinkView; failure: HardshellError | null; over: boolean; next: PromiseWithResolvers<void> };

/** The phone asks for a new code every minute; nobody should leave one on a screen for long. */
const WITHIN_MS = 3 * 60_000;
const AGAIN = 'press Link a phone once more, or run openclaw channels login whatsapp';

export type Linking = ReturnType<typeof createLinking>;

export function createLinking(ports: LinkingPorts) {
  const attempts = new Map<string, Attempt>();
  const stopped = new AbortController();

  const run = async (attempt: Attempt, login: Login): Promise<void> => {
    const show = (view: Partial<LinkView>): void => {
      attempt.view = { ...attempt.view, ...view };
      attempt.next.resolve();
      attempt.next = Promise.withResolvers();
    };
    try {
      await ports.prepare();
      show({ message: 'asking WhatsApp for a code' });
      const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(WITHIN_MS)]);
      await login((event) => {
        if (event.type === 'linked') show({ linked: true, qrDataUrl: null, message: `linked as ${event.me}` });
        else {
          const message = 'scan this: WhatsApp > Settings > Linked devices > Link a device';
          void ports.draw(event.text).then((qrDataUrl) => {
            if (!attempt.over && !attempt.view.linked) show({ qrDataUrl, message });
          });
        }
      }, signal);
      if (attempt.view.linked) ports.linked();
      else attempt.failure = failed('nobody scanned the code in time', AGAIN);
    } catch (error) {
      attempt.failure = failed(reasonOf(error), (error as { fix?: string }).fix || AGAIN);
    }
    attempt.over = true;
    show({ qrDataUrl: null });
  };

  const look = ({ view, failure }: Attempt): LinkView => {
    if (failure) throw failure;
    return view;
  };
  const until = async (attempt: Attempt, seen: string | null, timeoutMs: number): Promise<LinkView> => {
    const late = AbortSignal.timeout(timeoutMs);
    const end = new Promise<void>((resolve) => late.addEventListener('abort', () => resolve(), { once: true }));
    while (!late.aborted && !attempt.over && !attempt.view.linked && attempt.view.qrDataUrl === seen)
      await Promise.race([attempt.next.promise, end]);
    return look(attempt);
  };

  return {
    /** Resolves with the first code, or without one when that takes longer. Throws HardshellError. */
    async start(account: string, timeoutMs: number): Promise<LinkView> {
      const going = attempts.get(account);
      if (going && !going.over) return until(going, null, timeoutMs);
      const login = ports.login(account);
      if (!login) {
        const fix = 'openclaw channels add whatsapp';
        throw failed(`channels.whatsapp has no account "${account.slice(0, 40)}" that runs`, fix);
      }
      const view = { qrDataUrl: null, linked: false, message: 'fetching the WhatsApp part; about a minute, once' };
      const attempt: Attempt = { view, failure: null, over: false, next: Promise.withResolvers() };
      attempts.set(account, attempt);
      void run(attempt, login);
      return until(attempt, null, timeoutMs);
    },
    /** Resolves when it is linked, when there is another code than `seen`, or when the time is over. */
    async wait(account: string, seen: string | null, timeoutMs: number): Promise<LinkView> {
      const attempt = attempts.get(account);
      if (!attempt) throw failed('no phone is being linked', AGAIN);
      return until(attempt, seen, timeoutMs);
    },
    stop: (): void => stopped.abort(),
  };
}

const failed = (message: string, fix: string): HardshellError =>
  new HardshellError({ code: 'NOT_LINKED', message, fix, httpStatus: 409 });
