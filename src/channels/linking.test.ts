// Linking a phone: one attempt at a time, each code once, and what went wrong in one line.
import { expect, test } from 'vitest';
import { ChannelFailure, type Login, type LoginEvent } from './channel.ts';
import { createLinking } from './linking.ts';

function setup(prepare: () => Promise<void> = async () => {}) {
  const begun = Promise.withResolvers<(event: LoginEvent) => void>();
  const ended = Promise.withResolvers<void>();
  let logins = 0;
  let connected = 0;
  const login: Login = async (onEvent, signal) => {
    logins += 1;
    signal.addEventListener('abort', () => ended.resolve());
    begun.resolve(onEvent);
    await ended.promise;
  };
  const linking = createLinking({
    login: (account) => (account === 'default' ? login : undefined),
    prepare,
    draw: async (text) => `drawn:${text}`,
    linked() {
      connected += 1;
    },
  });
  return { linking, begun, ended, counts: () => ({ logins, connected }) };
}

test('a second page joins the attempt, the next code is waited for, and linked ends it', async () => {
  const { linking, begun, ended, counts } = setup();
  const first = linking.start('default', 5_000);
  const tell = await begun.promise;
  tell({ type: 'qr', text: 'a' });
  expect(await first).toMatchObject({ qrDataUrl: 'drawn:a', linked: false });
  expect(await linking.start('default', 5_000)).toMatchObject({ qrDataUrl: 'drawn:a' });
  const next = linking.wait('default', 'drawn:a', 5_000);
  tell({ type: 'qr', text: 'b' });
  expect(await next).toMatchObject({ qrDataUrl: 'drawn:b' });
  expect(await linking.wait('default', 'drawn:b', 10)).toMatchObject({ qrDataUrl: 'drawn:b' });
  const last = linking.wait('default', 'drawn:b', 5_000);
  tell({ type: 'linked', me: '+15555550123' });
  expect(await last).toMatchObject({ qrDataUrl: null, linked: true, message: 'linked as +15555550123' });
  ended.resolve();
  await expect.poll(counts).toEqual({ logins: 1, connected: 1 });
});

test('what goes wrong is said with what to do, and the next press tries anew', async () => {
  const reasons = [
    new ChannelFailure('network', 'WhatsApp cannot be reached', ''),
    new ChannelFailure('refused', 'npm is not on the PATH', 'install npm'),
  ];
  const { linking, counts } = setup(() => Promise.reject(reasons.shift()));
  await expect(linking.start('default', 5_000)).rejects.toMatchObject({ message: 'WhatsApp cannot be reached' });
  await expect(linking.wait('default', null, 5_000)).rejects.toMatchObject({ message: 'WhatsApp cannot be reached' });
  await expect(linking.start('default', 5_000)).rejects.toMatchObject({ fix: 'install npm' });
  await expect(linking.start('other', 5_000)).rejects.toMatchObject({ fix: 'openclaw channels add whatsapp' });
  await expect(linking.wait('other', null, 5_000)).rejects.toMatchObject({ message: 'no phone is being linked' });
  expect(counts()).toEqual({ logins: 0, connected: 0 });
});

test('without a scan it ends by itself, and a gateway that stops ends it too; the last code is gone', async () => {
  const { linking, begun, counts } = setup();
  const first = linking.start('default', 5_000);
  (await begun.promise)({ type: 'qr', text: 'a' });
  await first;
  const waits = linking.wait('default', 'drawn:a', 5_000);
  linking.stop();
  await expect(waits).rejects.toMatchObject({ message: 'nobody scanned the code in time' });
  expect(counts().connected).toBe(0);
});
