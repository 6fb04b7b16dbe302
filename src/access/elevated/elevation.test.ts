// The window for commands outside the box, and what policy makes of it: S002, S272.
import { expect, test } from 'vitest';
import { type ElevatedState, judgeElevated } from '../../policy/elevated.ts';
import { type AdmittedMessage, OWNER, type Speaking } from '../admit.ts';
import type { Rules } from '../rules.ts';
import { commandIn } from '../slash.ts';
import { createElevation, elevationIn, idOf } from './elevation.ts';

const CHAT: Speaking = {
  ...{ principal: OWNER, place: 'dm', channel: 'telegram', account: 'default', chat: '1' },
  sender: '1',
};
const OPEN = { name: 'elevated', minutes: 15 } as const;

function house(
  settings = { enabled: true, allowFrom: ['telegram:1', 'webchat:owner'] as (string | number)[] },
  isRoot = false,
) {
  const clock = { ms: 1_000_000 };
  const journal: string[] = [];
  const elevation = createElevation({
    now: () => clock.ms,
    settings: () => settings,
    isRoot,
    record: (kind) => void journal.push(kind),
  });
  return { elevation, clock, journal, settings };
}

test('what the owner writes is read as meant, and nothing else is a command', () => {
  expect(elevationIn('/elevated')).toEqual({ name: 'elevated', minutes: null });
  expect(elevationIn(' /Elevated on ')).toEqual({ name: 'elevated', minutes: 15 });
  expect(elevationIn('/elevated@my_bot on 30m')).toEqual({ name: 'elevated', minutes: 30 });
  expect(elevationIn('/elevated off')).toEqual({ name: 'elevated', minutes: 0 });
  for (const text of ['/elevated full', 'please /elevated on', '/elevated on 5 and more', '/elevatedon'])
    expect(elevationIn(text)).toBeNull();
});

test('it is a command of the owner alone: from anybody else it is plain text', () => {
  const rules = { commanders: new Set<string>() } as unknown as Rules;
  const from = (kind: string) => ({ ...CHAT, principal: { kind }, sender: { id: '1' } }) as unknown as AdmittedMessage;
  expect(commandIn('/elevated on', from('owner'), rules)).toEqual({ name: 'elevated', minutes: 15 });
  for (const kind of ['paired', 'guest', 'member']) expect(commandIn('/elevated on', from(kind), rules)).toBeNull();
});

test('whoever opens a window of a gateway that runs as root is told that nothing will run', () => {
  expect(house(undefined, true).elevation.say(CHAT, OPEN)).toMatch(
    /^Open for 15 min.* as root none will run: openclaw/,
  );
  expect(house().elevation.say(CHAT, OPEN)).not.toContain('root');
});

test('S272 a window opens for a listed owner in a direct chat alone, and only there', () => {
  const { elevation, journal } = house();
  for (const [who, why] of [
    [{ ...CHAT, place: 'group' }, 'direct chat'],
    [{ ...CHAT, principal: { kind: 'guest', id: 'telegram:1', limits: null } }, 'direct chat'],
    [{ ...CHAT, sender: '2', chat: '2' }, 'do not list telegram:2'],
  ] as [Speaking, string][]) {
    expect(elevation.say(who, OPEN)).toContain(why);
    expect(elevation.untilMs(who)).toBeNull();
  }
  expect(elevation.say(CHAT, { ...OPEN, minutes: 61 })).toContain('At most 60');
  expect(journal).toEqual([]);
  expect(elevation.say(CHAT, OPEN)).toContain('Open for 15 min');
  expect(elevation.untilMs(CHAT)).not.toBeNull();
  expect(elevation.untilMs({ ...CHAT, chat: '9' })).toBeNull();
  expect(elevation.untilMs({ ...CHAT, channel: 'webchat', chat: 'agent:main:main' })).toBeNull();
  expect(house({ enabled: false, allowFrom: ['telegram:1'] }).elevation.say(CHAT, OPEN)).toContain('is off');
  expect(house({ enabled: true, allowFrom: [] }).elevation.say(CHAT, OPEN)).toContain('do not list');
  expect(idOf({ channel: 'webchat', sender: 'any-device' })).toBe('webchat:owner');
});

test('S272 it ends by itself, when it is closed, with the setting, and with the right', () => {
  const { elevation, clock, journal, settings } = house();
  elevation.say(CHAT, { ...OPEN, minutes: 2 });
  clock.ms += 119_000;
  expect(elevation.say(CHAT, { ...OPEN, minutes: null })).toContain('Open for 1 more min');
  clock.ms += 1_000;
  expect(elevation.untilMs(CHAT)).toBeNull();
  expect(elevation.open()).toEqual([]);
  elevation.say(CHAT, OPEN);
  expect(elevation.say(CHAT, { ...OPEN, minutes: 0 })).toContain('Closed');
  expect(elevation.untilMs(CHAT)).toBeNull();
  elevation.say(CHAT, OPEN);
  settings.enabled = false;
  expect(elevation.untilMs(CHAT)).toBeNull();
  settings.enabled = true;
  expect(elevation.untilMs(CHAT)).not.toBeNull();
  elevation.recheck(() => false);
  expect(elevation.untilMs(CHAT)).toBeNull();
  expect(journal.filter((kind) => kind === 'elevation.closed')).toHaveLength(2);
});

test('S002 S272 a command out of the box is denied until all of it holds, and then asks each time, with no always', () => {
  const ready: ElevatedState = { refusal: null, id: 'telegram:1', isOpen: true, user: 'ada', isRoot: false };
  const run = { kind: 'run', command: 'apt list', cwd: '.', where: 'host', elevated: true } as const;
  const judge = (state: Partial<ElevatedState>, effects: Parameters<typeof judgeElevated>[1] = [run]) =>
    judgeElevated({ speaker: CHAT }, effects, () => ({ ...ready, ...state }));
  for (const [state, code] of [
    [{ refusal: 'off' }, 'ELEVATED_OFF'],
    [{ refusal: 'not the owner' }, 'ELEVATED_NOT_OWNER'],
    [{ refusal: 'not listed' }, 'ELEVATED_NOT_LISTED'],
    [{ isRoot: true }, 'HOST_EXEC_AS_ROOT'],
    [{ isOpen: false }, 'ELEVATED_CLOSED'],
  ] as [Partial<ElevatedState>, string][])
    expect(judge(state)).toMatchObject([{ rule: 'deny', code }]);
  expect(judge({ isOpen: false })).toMatchObject([{ fix: 'the owner sends: /elevated on' }]);
  const [asked] = judge({});
  expect(asked).toMatchObject({ rule: 'ask', code: 'ELEVATED_ASKS', marks: ['apt list'] });
  expect(asked).not.toHaveProperty('always');
  const { elevated: _, ...plain } = run;
  expect(judge({ refusal: 'off' }, [plain, { kind: 'read', path: 'x' }])).toEqual([]);
});
