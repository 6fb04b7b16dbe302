// Text across the border to Slack: nothing hidden on the way in, nothing that pings or deceives on the way out.
import { describe, expect, test } from 'vitest';
import { mentions, plainText, slackText } from './text.ts';

const NAMES = { botUserId: 'UBOT', botName: 'claw' };

describe('what a person wrote is shown as they saw it', () => {
  test.each([
    ['a &lt;b&gt; &amp; c', 'a <b> & c'],
    ['&amp;lt;b&amp;gt;', '&lt;b&gt;'],
    ['<@UBOT> hi', '@claw hi'],
    ['<@U123>', '@U123'],
    ['<@U123|ann>', '@ann (U123)'],
    ['<#C123|general> <#C9>', '#general #C9'],
    ['<!channel> <!here|here> <!subteam^S1|@ops> <!date^1^x|today>', '@channel here @ops today'],
    ['<https://a.example/x?a=1&amp;b=2>', 'https://a.example/x?a=1&b=2'],
    ['<https://evil.example|https://bank.example>', 'https://bank.example (https://evil.example)'],
    ['<https://a.example|a.example>', 'https://a.example'],
    ['<mailto:a@b.example|a@b.example>', 'a@b.example'],
    ['1 < 2, a <b', '1 < 2, a <b'],
    ['<>', ''],
  ])('%s', (slack, shown) => {
    expect(plainText(slack, NAMES)).toBe(shown);
  });

  test('a hostile megabyte takes one pass', () => {
    const startedAtMs = performance.now();
    for (const text of [
      '<'.repeat(1_000_000),
      '<@'.repeat(500_000),
      '&'.repeat(1_000_000),
      `<${'a'.repeat(1_000_000)}`,
    ])
      plainText(text, NAMES);
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });
});

test.each([
  ['<@UBOT> hi', true],
  ['hi <@UBOT|claw>', true],
  ['@UBOT hi', false],
  ['<!channel> <!here>', false],
  ['&lt;@UBOT&gt;', false],
  ['<@UBOTTOM>', false],
])('%s names the bot: %s', (text, isMention) => {
  expect(mentions(text, 'UBOT')).toBe(isMention);
});

describe('what the model wrote gets simple markup', () => {
  test.each([
    ['**bold** and __too__, ~~gone~~, *lean*', '*bold* and *too*, ~gone~, _lean_'],
    ['# Title **big**', '*Title big*'],
    ['* one\n- two\n  + three', '• one\n• two\n  • three'],
    ['2*3*4 and snake_case_name', '2*3*4 and snake_case_name'],
    ['[docs](https://a.example/x)', '<https://a.example/x|docs>'],
    ['[x](javascript:alert)', '[x](javascript:alert)'],
    ['use `**x** <y>`', 'use `**x** &lt;y&gt;`'],
    ['```ts\nconst a = **b**;\n```', '```\nconst a = **b**;\n```'],
    ['````md\n```\n````\n**x**', '```\n```\n```\n*x*'],
  ])('%s', (markdown, slack) => {
    expect(slackText(markdown)).toBe(slack);
  });

  test.each([
    '<!channel> wake up',
    '<!here|x>',
    '<@U123ABC>',
    '<#C123|general>',
    '<!subteam^S1>',
    '[<!channel>](https://a.example)',
    '[x](https://a.example/<!here>)',
    '```\n<!channel>\n```',
    '`<!channel>`',
    '# <!everyone>',
    '**<!channel>**',
  ])('nobody is pinged by %s', (markdown) => {
    expect(slackText(markdown)).not.toMatch(/<[!@#]/);
  });

  test('a label that looks like an address cannot hide another one', () => {
    expect(slackText('[https://bank.example](https://evil.example)')).toBe('<https://evil.example>');
    expect(slackText('[bank.example](https://evil.example)')).toBe('<https://evil.example>');
    expect(slackText('[a|b](https://a.example)')).toBe('<https://a.example>');
  });

  test('a long reply of one kind of mark takes one pass', () => {
    const startedAtMs = performance.now();
    for (const mark of ['*', '_', '[', '`', '~~', '**a ', '[a](', '* '.repeat(3)]) slackText(mark.repeat(20_000));
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });
});
