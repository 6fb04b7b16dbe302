// Editing the text of a configuration: every byte that is not concerned stays, and what was set can be unset without trace.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson5, plainValue } from '../text/json5.ts';
import { patchAt, readAt, setAt, unsetAt } from './edit.ts';
import { parseKeyPath, showKeyPath } from './key-path.ts';

const HAND_WRITTEN = `// my gateway
{
  gateway: {
    port: 18789, // the usual one
    bind: 'loopback',
  },
  // who may write
  channels: { telegram: { allowFrom: ['1'] } } /* only me */
}
`;

describe('set', () => {
  test('a value is replaced where it stands', () => {
    expect(setAt(HAND_WRITTEN, ['gateway', 'port'], 19_000)).toBe(HAND_WRITTEN.replace('18789', '19000'));
  });

  test('a key is added in the style of the file, behind the comments of its neighbour', () => {
    expect(setAt(HAND_WRITTEN, ['gateway', 'mode'], 'local')).toBe(
      HAND_WRITTEN.replace("    bind: 'loopback',\n", "    bind: 'loopback',\n    mode: 'local',\n"),
    );
    expect(setAt(HAND_WRITTEN, ['logging', 'level'], 'debug')).toBe(
      HAND_WRITTEN.replace(' } } /* only me */\n', " } }, /* only me */\n  logging: {\n    level: 'debug'\n  }\n"),
    );
    expect(setAt(HAND_WRITTEN, ['channels', 'telegram', 'dmPolicy'], 'pairing')).toContain(
      `telegram: { allowFrom: ['1'], dmPolicy: 'pairing' } }`,
    );
  });

  test('strict JSON stays strict JSON', () => {
    const text = '{\n  "gateway": {\n    "port": 1\n  }\n}\n';
    const changed = setAt(setAt(text, ['gateway', 'bind'], 'loopback'), ['a b'], [1, 'x']);
    expect(JSON.parse(changed)).toEqual({ gateway: { port: 1, bind: 'loopback' }, 'a b': [1, 'x'] });
  });

  test('an object is changed key by key, so its comments stay', () => {
    const changed = setAt(HAND_WRITTEN, ['gateway'], { port: 18_789, mode: 'local' });
    expect(changed).toContain('// the usual one');
    expect(readAt(changed, ['gateway'])).toEqual({ port: 18_789, mode: 'local' });
  });

  test('the same value changes no byte', () => {
    expect(setAt(HAND_WRITTEN, ['gateway', 'port'], 18_789)).toBe(HAND_WRITTEN);
  });

  test('a list takes one more, and a scalar takes no keys', () => {
    expect(setAt('{ a: [1, 2] }', ['a', '2'], 3)).toBe('{ a: [1, 2, 3] }');
    expect(() => setAt('{ a: 1 }', ['a', 'b'], 3)).toThrow('b cannot be set: a is not an object');
    expect(() => setAt('{ a: [1] }', ['a', '7'], 3)).toThrow('7 cannot be set');
  });
});

describe('unset', () => {
  test.each([
    ['{ a: 1, b: 2, c: 3 }', 'a', '{ b: 2, c: 3 }'],
    ['{ a: 1, b: 2, c: 3 }', 'b', '{ a: 1, c: 3 }'],
    ['{ a: 1, b: 2, c: 3 }', 'c', '{ a: 1, b: 2 }'],
    ['{ a: 1, }', 'a', '{ }'],
    ['{a:1}', 'a', '{}'],
    ['{\n  a: 1, // about a\n  b: 2 }', 'b', '{\n  a: 1 // about a\n   }'],
    ['{\n  // about a\n  a: 1,\n  b: 2,\n}', 'a', '{\n  // about a\n  b: 2,\n}'],
    ['{\n  a: 1, b: 2,\n  c: 3\n}', 'a', '{\n  b: 2,\n  c: 3\n}'],
    ['{\r\n  a: 1,\r\n  b: 2\r\n}', 'b', '{\r\n  a: 1\r\n}'],
    ['{ a: { b: { c: 1 } } }', 'a.b.c', '{ a: { b: {} } }'],
    ['{ a: [1, 2, 3] }', 'a[1]', '{ a: [1, 3] }'],
    ['{ a: [1] }', 'a[0]', '{ a: [] }'],
    ['{ a: [\n  1,\n  2,\n] }', 'a[1]', '{ a: [\n  1,\n] }'],
  ])('%s without %s', (text, key, expected) => {
    expect(unsetAt(text, parseKeyPath(key))).toBe(expected);
  });

  test('what is not there changes no byte', () => {
    expect(unsetAt(HAND_WRITTEN, ['gateway', 'nothing', 'below'])).toBe(HAND_WRITTEN);
  });
});

test('patch: null removes, objects merge, the rest replaces (RFC 7396)', () => {
  const changed = patchAt(HAND_WRITTEN, {
    gateway: { port: null, auth: { mode: 'token' } },
    channels: { telegram: { allowFrom: ['2'] } },
  });
  expect(plainValue(parseJson5(changed).root)).toEqual({
    gateway: { bind: 'loopback', auth: { mode: 'token' } },
    channels: { telegram: { allowFrom: ['2'] } },
  });
  expect(changed).toContain('// who may write');
});

test('a path is read back as it is shown', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
        { minLength: 1, maxLength: 4 },
      ),
      (path) => {
        expect(parseKeyPath(showKeyPath(path))).toEqual(path);
      },
    ),
  );
  for (const text of ['', '.a', 'a..b', 'a b', 'a["x', '__proto__'])
    expect(() => parseKeyPath(text)).toThrow('does not name a setting');
});

// Texts as people write them: any mix of quotes, commas, line ends, comments and indentation.
const space = fc.constantFrom(
  '',
  ' ',
  '  ',
  '\n',
  '\n  ',
  '\r\n\t',
  ' // note, with: { a comma\n',
  ' /* x, } */ ',
  '\n/* two\nlines */\n',
);
const scalar = fc.constantFrom(
  '1',
  '-2.5',
  'true',
  'null',
  '"text, } // no comment"',
  "'it\\'s'",
  '[]',
  '{}',
  '{ }',
  '{\n}',
  '[1, 2,]',
);
const keyText = fc.constantFrom('a', 'b', 'c', 'd', '"e f"', "'g'");
const objectText = fc.letrec<{ object: string; value: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, scalar, tie('object')),
  object: fc
    .record({
      members: fc.uniqueArray(fc.tuple(keyText, tie('value'), space, space, space, space), {
        maxLength: 4,
        selector: ([key]) => key.replace(/['"]/g, ''),
      }),
      end: space,
      trailing: fc.boolean(),
    })
    .map(({ members, end, trailing }) => {
      const body = members.map(([key, value, a, b, c, d]) => `${a}${key}${b}:${c}${value}${d}`).join(',');
      return `{${body}${trailing && members.length > 0 ? ',' : ''}${end}}`;
    }),
}));
const fileText = fc.tuple(space, objectText.object, space).map((parts) => parts.join(''));
const commentsOf = (text: string): string[] =>
  parseJson5(text).comments.map(({ start, end }) => text.slice(start, end));
const path = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e f', 'g', 'new'), { minLength: 1, maxLength: 4 });
const anyValue = fc
  .oneof(fc.constantFrom(1, 'x', true, null, [1, 'y'], {}, { k: 1 }), fc.jsonValue({ maxDepth: 2 }))
  .filter((value) => !JSON.stringify(value).includes('__proto__'));

test('for any text: a fresh key that is set and unset leaves the same bytes', () => {
  fc.assert(
    fc.property(fileText, path, anyValue, (text, at, value) => {
      fc.pre(readAt(text, at) === undefined);
      let changed: string;
      try {
        changed = setAt(text, at, value);
      } catch (error) {
        expect(String(error)).toContain('is not an object');
        return;
      }
      expect(readAt(changed, at)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(unsetAt(changed, at)).toBe(text);
    }),
    { numRuns: 5_000 },
  );
});

test('for any text: comments survive every set and unset outside of what is removed, and the rest keeps its meaning', () => {
  fc.assert(
    fc.property(fileText, path, anyValue, (text, at, value) => {
      const present = readAt(text, at);
      fc.pre(present === undefined || typeof present !== 'object' || present === null);
      let changed: string;
      try {
        changed = setAt(text, at, value);
      } catch (error) {
        expect(String(error)).toContain('is not an object');
        return;
      }
      expect(commentsOf(changed)).toEqual(commentsOf(text));
      expect(plainValue(parseJson5(unsetAt(changed, at)).root)).toBeTypeOf('object');
    }),
    { numRuns: 3_000 },
  );
});

test('for any text: every key can be unset, alone', () => {
  fc.assert(
    fc.property(fileText, path, (text, at) => {
      const changed = unsetAt(text, at);
      expect(readAt(changed, at)).toBeUndefined();
      if (readAt(text, at) === undefined) expect(changed).toBe(text);
    }),
    { numRuns: 5_000 },
  );
});
