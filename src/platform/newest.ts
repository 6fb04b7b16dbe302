// Owns memory that cannot grow without end, however many strangers there are: a map keeps the entries set last. It must
// never hold what somebody relies on, since whatever is oldest is forgotten without a word.

/** Sets it as the newest; the oldest goes when there are more than `max`. */
export function setNewest<V>(map: Map<string, V>, key: string, value: V, max: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= max) return;
    map.delete(oldest);
  }
}
