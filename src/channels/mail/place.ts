// Owns where in the mailbox the channel is. Numbers of mails hold while the mailbox keeps its validity; when the server
// numbers anew, the time of the last mail decides, and what comes twice by that is known by its id.
import { fieldsIn } from '../../platform/json.ts';
import type { Mailbox } from './mailbox.ts';

export type Place = {
  /** whose numbers these are */
  readonly mailbox: string;
  readonly validity: string;
  /** the last one that is settled */
  readonly uid: number;
  /** when the newest settled one arrived, or when reading began */
  readonly atMs: number;
  /** what arrived before this is not looked at, after the mailbox was numbered anew */
  readonly floorMs: number;
};

/** The first start begins at now: what lies in the mailbox was not written to the assistant. */
export async function begin(saved: string | null, mailbox: string, box: Mailbox, nowMs: number): Promise<Place> {
  const found = parse(saved);
  const place = found?.mailbox === mailbox ? found : null;
  // A mailbox that came back from a copy may know less than was read in it, without saying so.
  if (place?.validity === box.validity && place.uid < box.nextUid) return place;
  const fresh = { mailbox, validity: box.validity, uid: box.nextUid - 1, atMs: place?.atMs ?? nowMs, floorMs: 0 };
  if (!place) return fresh;
  // Mail servers tell the time of arrival in whole seconds.
  const floorMs = Math.floor(place.atMs / 1_000) * 1_000;
  const first = (await box.arrivedSince(place.atMs))[0];
  return { ...fresh, floorMs, uid: first === undefined ? fresh.uid : first - 1 };
}

export function advance(place: Place, uid: number, arrivedAtMs: number): Place {
  return { ...place, uid, atMs: Math.max(place.atMs, arrivedAtMs) };
}

/** What is unreadable counts as none, which begins at now: reading old mail as if it were new is the worse mistake. */
function parse(saved: string | null): Place | null {
  const { mailbox, validity, uid, atMs, floorMs } = fieldsIn(saved) as Place;
  const isPlace = typeof validity === 'string' && [uid, atMs, floorMs].every((one) => Number.isSafeInteger(one));
  return isPlace ? { mailbox, validity, uid, atMs, floorMs } : null;
}
