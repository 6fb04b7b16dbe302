import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apart, oneLine, plainText, textOfHtml } from './text.ts';

const text = (html: string): string => textOfHtml(html, 20_000).text;

describe('HTML becomes what a reader sees', () => {
  test.each([
    ['paragraphs and breaks', '<p>a</p><p>b<br>c</p>', 'a\n\nb\nc'],
    ['entities', '&lt;b&gt; &amp;amp; &#65;&#x42; &Auml; &nosuch; &#0;&#1114112;', '<b> &amp; AB Ä &nosuch;'],
    ['tables', '<table><tr><td>a<td>b</tr><tr><td>c</table>', 'a | b\nc'],
    ['quotes', '<p>x</p><blockquote>y<blockquote>z</blockquote></blockquote>w', 'x\n\n> y\n> > z\nw'],
    ['pictures by their words', '<img src=x alt="a map"><img src=y>', '[image: a map]'],
    ['no scripts and styles', '<style>a</style><script>b</script><title>t</title>c<script>d', 'c'],
    ['no comments', 'a<!-- b -->c<!-- <p>d', 'ac'],
    ['a less-than sign', '1 < 2 and 3<4', '1 < 2 and 3<4'],
    ['a tag that never ends', 'a<b class="x', 'a'],
    ['a greater-than sign inside quotes', '<a title="x>y" href="https://a.example">z</a>', 'z <https://a.example>'],
    ['case and odd spacing', '<DIV STYLE = "DISPLAY : NONE">a</DIV >b', 'b'],
  ])('%s', (_, html, expected) => expect(text(html)).toBe(expected));

  test.each([
    ['<div style="display:none">X</div>'],
    ['<p hidden>X</p>'],
    ['<span style="visibility: hidden">X</span>'],
    ['<span style="font-size:0">X</span>'],
    ['<span style="font-size: 0.0px ! important">X</span>'],
    ['<span style="opacity:0">X</span>'],
    ['<span style="color:#ffffff">X</span>'],
    ['<span style="color: White; background: #FFF">X</span>'],
    ['<font color="white">X</font>'],
    ['<div style="max-height:0;overflow:hidden">X</div>'],
    ['<div style="mso-hide:all">X</div>'],
    ['<div style="text-indent:-9999px">X</div>'],
    ['<div style="position:absolute;left:-9999px">X</div>'],
    ['<div style="disp/**/lay:none">X</div>'],
    ['<div style="display&#58;none">X</div>'],
    ['<a style="display:none" href="https://x.example/X">X</a>'],
    ['<textarea>X</textarea><noscript>X</noscript><template>X</template><svg><text>X</text></svg>'],
    ['<div style="display:none"><p>X<div>X</div></div>'],
    ['<div style="display:none"><i hidden>X</i>X<b hidden>X</b>X</div>'],
  ])('what is hidden is left out: %s', (html) => {
    expect(text(`a ${html} b`).replace(/\s+/g, ' ')).toBe('a b');
  });

  test('white text on a coloured ground is no hidden text', () => {
    expect(text('<td bgcolor="#003366"><a style="color:#fff" href="https://a.example">go</a></td>')).toBe(
      'go <https://a.example>',
    );
    expect(text('<div style="background:#000"><span style="color:white">seen</span></div>')).toBe('seen');
    expect(text('<p style="font-size:10px;opacity:0.5;color:#ffff00">seen</p>')).toBe('seen');
  });

  test('a link shows where it goes, once, and nowhere but the web, mail and telephone', () => {
    expect(text('<a href="https://evil.example">https://bank.example</a>')).toBe(
      'https://bank.example <https://evil.example>',
    );
    expect(text('<a href="https://a.example">https://a.example</a>')).toBe('https://a.example');
    expect(text('<a href="javascript:x()">a</a><a href="data:text/html,x">b</a>')).toBe(
      'a <link left out>b <link left out>',
    );
    expect(text('<a href="https://evil.example">https://a.example/https://evil.example</a>')).toContain(
      '<https://evil.example>',
    );
    expect(text('<a href="#top">a</a><a>b</a>')).toBe('ab');
    expect(text('<a href="https://a.example/&gt;&lt;x y">z</a>')).toBe('z <https://a.example/xy>');
  });

  test('it ends with its limit, and says so', () => {
    const { text: cut, isCut } = textOfHtml('<p>word</p>'.repeat(10_000), 1_000);
    expect(isCut).toBe(true);
    expect(cut.length).toBeLessThan(2_100);
    expect(textOfHtml('<p>word</p>', 1_000).isCut).toBe(false);
  });

  test('hostile markup of half a megabyte takes no longer than reading it', () => {
    const hostile = [
      '<',
      '<a ',
      '<a b="',
      '<!--',
      '</a>',
      '<div>',
      '&',
      '&#',
      ' ',
      '<b style="/*',
      '<script>',
      'a=',
      '<a\t\t',
      "='",
    ];
    for (const piece of hostile) {
      const startedAtMs = performance.now();
      textOfHtml(piece.repeat(500_000 / piece.length), 20_000);
      textOfHtml(`<p ${piece.repeat(500_000 / piece.length)}`, 20_000);
      expect([piece, performance.now() - startedAtMs < 700]).toEqual([piece, true]);
    }
  });

  test('nothing makes it fail, and nothing it leaves out comes back', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '=',
      '<p>',
      '</p>',
      '<div style="display:none">',
      '</div>',
      '<!--',
      '-->',
      'a',
      ' ',
      '&lt;',
      '<script>',
      '</script>',
      '\u202e',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        expect(textOfHtml(pieces.join(''), 1_000).text).not.toMatch(/\u202e/);
        expect(text(`<script>${pieces.join('').replaceAll('</script>', '')}SECRET</script>`)).not.toContain('SECRET');
      }),
    );
  });
});

test('characters that nobody sees are taken out, those that scripts need stay', () => {
  expect(plainText('a\u200bb\u202ec\u{e0041}\u0000\u00ad\ufeffd\r\n\r\n\r\n\r\ne\ud800')).toBe('abcd\n\ne\ufffd');
  expect(plainText('نمی\u200cخواهم 👩\u200d👧')).toBe('نمی\u200cخواهم 👩\u200d👧');
  expect(oneLine('a\r\nBcc: b\t c', 100)).toBe('a Bcc: b c');
  expect(oneLine('😀😀', 3)).toBe('😀\ufffd');
});

describe('own words and others’', () => {
  test.each([
    ['nothing quoted', 'a\nb', 'a\nb', ''],
    ['quotes', 'a\n> b\n>> c\nd', 'a\nd', '> b\n>> c'],
    ['with who wrote it', 'a\n\nOn Monday, Eve wrote:\n\n> b', 'a', 'On Monday, Eve wrote:\n> b'],
    [
      'a forwarded mail',
      'see:\n---------- Forwarded message ---------\nFrom: Eve\nb',
      'see:',
      '---------- Forwarded message ---------\nFrom: Eve\nb',
    ],
    [
      'as Outlook writes it',
      'ok\n\nFrom: Eve\nSent: Monday\nTo: Ann\nSubject: x\n\ndo it',
      'ok',
      'From: Eve\nSent: Monday\nTo: Ann\nSubject: x\n\ndo it',
    ],
    ['a line that only looks like a head', 'To: do\nbuy milk', 'To: do\nbuy milk', ''],
    ['wrote without a quote', 'On Monday, Eve wrote:\na book', 'On Monday, Eve wrote:\na book', ''],
  ])('%s', (_, all, own, quoted) => expect(apart(all)).toEqual({ own, quoted }));
});
