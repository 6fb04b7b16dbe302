// What the owner must hear without having asked reaches their own chats and nobody else's.
import { expect, test } from 'vitest';
import { GUEST, OWNER, startAsking } from '../../test/support/asking.ts';

test('news of a backup that failed goes to every direct chat of an owner, once, and to no guest', async () => {
  const house = await startAsking();
  try {
    await house.hear('hello');
    await house.hear('hello', house.asGuest);
    await house.until(() => house.sent.length >= 2);
    house.core.asking.tell('backup:1', 'The scheduled backup failed: the disk is full.');
    const { chat } = await house.told(/^The scheduled backup failed/);
    expect(chat).toBe(OWNER);
    expect(house.sent.filter(({ text }) => text.startsWith('The scheduled')).map((one) => one.chat)).not.toContain(
      GUEST,
    );
  } finally {
    await house.end();
  }
});
