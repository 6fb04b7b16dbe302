// What a person would read of a page, and no page that takes longer or more for being hostile.
import { describe, expect, test } from 'vitest';
import { textOfHtml } from './html-text.ts';
import { decoded } from './page-text.ts';

const read = (html: string, maxChars = 100_000) => textOfHtml(html, 'https://www.example.net/a/b.html', maxChars);
const long = 'The sea was calm that morning, and nobody in the harbour spoke of the storm. '.repeat(6);

describe('the text of a page', () => {
  test('has headings, lists, tables, images and links with their whole address', () => {
    const { title, text } =
      read(`<!doctype html><html><head><title> Fish &amp; more\n</title><style>p{}</style></head><body>
      <h1>Fish</h1><p>Two <b>kinds</b>&nbsp;of   fish.<br>Next line.</p><ul><li>cod<li>eel</ul>
      <p><a href="../c?x=1&amp;y=2">the list</a> and <a href="https://other.example/">https://other.example/</a>
      <a href="#top">up</a> <a href="javascript:alert(1)">no</a> <img src=x alt="a cod"></p>
      <table><tr><th>name<th>kg</tr><tr><td>cod</td><td>2</td></tr></table><pre>a
  b</pre><script>if (1 < 2) document.write("<p>never</p>")</script></body>`);
    expect(title).toBe('Fish & more');
    expect(text).toBe(
      [
        '# Fish',
        'Two kinds of fish.\nNext line.',
        '- cod\n- eel',
        '[the list](https://www.example.net/c?x=1&y=2) and https://other.example/ up no [image: a cod]',
        'name | kg\ncod | 2',
        'a\n  b',
      ].join('\n\n'),
    );
  });

  test('is the article, where there is one, without menus around it', () => {
    const page = `<header>Site</header><nav><a href="/x">Menu</a></nav><div>Advert</div>
      <article><header><h1>Storm</h1></header><p>${long}</p><aside>Related</aside></article><footer>Imprint</footer>`;
    expect(read(page).text).toBe(`# Storm\n\n${long.trim()}`);
    expect(read(`<nav>Menu</nav><p>${long}</p>`).text).toBe(long.trim());
    expect(read('<nav>Only a menu</nav>').text).toBe('Only a menu');
  });

  test('has nothing that a visitor does not see', () => {
    for (const hidden of [
      '<div style="display:none">obey</div>',
      '<p style="color:red; VISIBILITY : hidden">obey</p>',
      '<span style="font-size:0">obey</span>',
      '<span style="opacity: 0;">obey</span>',
      '<div hidden><div>obey</div>obey</div>',
      '<b aria-hidden="true">obey</b>',
      '<!-- obey -->',
      '<template>obey</template>',
      '<noscript>obey</noscript>',
      '<textarea>obey</textarea>',
      '<script>obey</script >',
      '<svg><text>obey</text></svg>',
    ])
      expect(read(`<p>before</p>${hidden}<p>after</p>`).text, hidden).toBe('before\n\nafter');
  });

  test('takes references to letters as browsers do', () => {
    expect(read('&lt;b&gt; &#65;&#x42; &Auml;&ouml; &eacute &#146; &nosuch; &#0; &#xD800; a&b').text).toBe(
      '<b> AB Äö é ’ &nosuch; \ufffd \ufffd a&b',
    );
  });

  test('is cut where it was asked to, and says so', () => {
    expect(read(`<p>${'x '.repeat(5_000)}</p>`, 100)).toMatchObject({ text: 'x '.repeat(50), isCut: true });
    expect(read('<p>short</p>', 100).isCut).toBe(false);
  });

  test.each<[string, string]>([
    ['nested', '<div>'],
    ['nested and hidden', '<div hidden>'],
    ['lists', '<ul><li>'],
    ['links', '<a href=x>'],
    ['links with text', '<a href=x>y</a>'],
    ['open tags', '<a '],
    ['open quotes', '<a b="'],
    ['many attributes', '<a b=c '],
    ['equals', '<a ='],
    ['open comments', '<!--'],
    ['half comments', '<!-- -'],
    ['scripts', '<script>'],
    ['ends of scripts', '</script'],
    ['titles', '<title>'],
    ['smaller than', '<'],
    ['references', '&'],
    ['long references', '&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
    ['white space', ' '],
    ['white space in pre', '<pre> '],
    ['slashes', '</'],
    ['styles', '<p style="display  :'],
    ['links with long addresses', `<a href="${'/x'.repeat(900)}">y</a>`],
  ])('a megabyte of hostile %s is read in linear time', (_name, part) => {
    const timed = (chars: number): number => {
      const html = part.repeat(Math.ceil(chars / part.length));
      const from = performance.now();
      read(html);
      return performance.now() - from;
    };
    timed(10_000);
    expect(timed(1_000_000)).toBeLessThan(1_500);
  });
});

describe('letters', () => {
  const bytes = (...codes: number[]): Uint8Array => Uint8Array.from(codes);
  test.each<[string, Uint8Array, string, boolean, string]>([
    ['said by the server', bytes(0xe4), 'iso-8859-1', false, 'ä'],
    ['said by a mark', bytes(0xff, 0xfe, 0xe4, 0), 'utf-8', false, 'ä'],
    [
      'said by the page',
      Buffer.from('<meta charset="windows-1251">\xe4', 'latin1'),
      '',
      true,
      '<meta charset="windows-1251">д',
    ],
    ['said wrongly', Buffer.from('ä'), 'no-such', false, 'ä'],
    ['never said', Buffer.from('ä'), '', false, 'ä'],
    ['never said, and old', bytes(0x93, 0xe4, 0x94, 0x20, 0x20, 0x20, 0x20), '', false, '“ä”    '],
    ['cut within one', bytes(0x61, 0xc3), '', false, 'a\ufffd'],
  ])('%s', (_name, data, charset, isHtml, text) => {
    expect(decoded(data, charset, isHtml)).toBe(text);
  });
});
