// Owns what a chat is told when its message gets no answer: one short line with a reason that its writer may know. It must
// never say what only the owner may read: paths, accounts, addresses, or what a provider answered.
import type { TurnEnd } from './turn.ts';

const UNAVAILABLE = 'I cannot reach my model right now. Please try again later.';
const REASONS: Readonly<Record<string, string>> = {
  rate_limit: 'My model has too much to do right now. Please try again in a few minutes.',
  overloaded: 'My model has too much to do right now. Please try again in a few minutes.',
  timeout: 'This took too long, so I stopped. Please try again, or ask for less at once.',
  network: UNAVAILABLE,
  auth: UNAVAILABLE,
  billing: UNAVAILABLE,
  context_length: 'Our conversation is too long for my model. Please start a new one.',
  refusal: 'My model refused to answer this.',
  loop: 'I kept going round in circles, so I stopped. Please say it in other words.',
  gave_up: 'I failed on this message several times, so I gave up on it.',
  budget: 'What I may spend is used up. My owner can raise it.',
  storage: 'I could not store my answer. My owner has to look at it.',
};

/** For a turn that ended without a text to show. */
export function noticeOf(end: Pick<TurnEnd, 'status' | 'error'>): string {
  if (end.status === 'aborted') return 'Stopped.';
  return REASONS[end.error?.kind ?? ''] ?? 'Something went wrong, so I have no answer. My owner can see why.';
}
