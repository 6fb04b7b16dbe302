import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseMarkdown } from './blocks.ts';
import { textOf } from './delimiters.ts';
import { grow, NOTHING } from './stream.ts';
import type { Block, Inline } from './tree.ts';

/** Prints a tree as HTML-like text, so that expectations can be read. */
function show(blocks: readonly Block[]): string {
  return blocks.map(showBlock).join('');
}

function showBlock(block: Block): string {
  switch (block.type) {
    case 'paragraph':
      return `<p>${inline(block.children)}</p>`;
    case 'heading':
      return `<h${block.level}>${inline(block.children)}</h${block.level}>`;
    case 'code':
      return `<pre ${block.language}${block.closed ? '' : ' open'}>${block.text}</pre>`;
    case 'quote':
      return `<quote>${show(block.blocks)}</quote>`;
    case 'rule':
      return '<hr>';
    case 'list': {
      const items = block.items.map(
        (i) => `<li${i.task === null ? '' : i.task ? ' done' : ' todo'}>${show(i.blocks)}</li>`,
      );
      return `<${block.start === null ? 'ul' : `ol ${block.start}`}${block.tight ? '' : ' loose'}>${items.join('')}</list>`;
    }
    case 'table': {
      const row = (cells: readonly (readonly Inline[])[]): string => cells.map(inline).join('|');
      return `<table ${block.align.map((a) => a ?? '-').join(',')}>${row(block.head)}/${block.rows.map(row).join('/')}</table>`;
    }
  }
}

function inline(nodes: readonly Inline[]): string {
  return nodes
    .map((node): string => {
      switch (node.type) {
        case 'text':
          return node.text;
        case 'code':
          return `<code>${node.text}</code>`;
        case 'break':
          return '<br>';
        case 'link':
          return `<a ${node.href}${node.misleading ? ' !' : ''}>${inline(node.children)}</a>`;
        case 'dead-link':
          return `<dead ${node.target}>${inline(node.children)}</dead>`;
        case 'image':
          return `<img ${node.alt} ${node.href ?? 'none'}>`;
        default:
          return `<${node.type}>${inline(node.children)}</${node.type}>`;
      }
    })
    .join('');
}

const html = (text: string): string => show(parseMarkdown(text));

describe('Markdown', () => {
  test.each([
    ['one\ntwo', '<p>one<br>two</p>'],
    ['# A *b* #\n## C#', '<h1>A <em>b</em></h1><h2>C#</h2>'],
    ['a **b _c_** ~~d~~ ***e***', '<p>a <strong>b <em>c</em></strong> <del>d</del> <em><strong>e</strong></em></p>'],
    ['snake_case_name and 2*3*4', '<p>snake_case_name and 2<em>3</em>4</p>'],
    ['`a``b` `` c ` d ``', '<p><code>a``b</code> <code>c ` d</code></p>'],
    ['open `tick and **star', '<p>open `tick and **star</p>'],
    ['\\*not\\* &lt;b&gt; &#x41;', '<p>*not* <b> A</p>'],
    ['<b onclick=alert(1)>x</b>', '<p><b onclick=alert(1)>x</b></p>'],
    ['a<br>b', '<p>a<br>b</p>'],
    ['text\n---\ntext', '<p>text</p><hr><p>text</p>'],
    ['```ts\nlet a = 1;\n\n*b*\n```\nend', '<pre ts>let a = 1;\n\n*b*</pre><p>end</p>'],
    ['````\n```\n````', '<pre >```</pre>'],
    ['```py\nstill', '<pre py open>still</pre>'],
    ['    four\n\n    more', '<pre >four\n\nmore</pre>'],
    ['> a\n> > b\n\nc', '<quote><p>a</p><quote><p>b</p></quote></quote><p>c</p>'],
    [
      '- a\n  - b\n    1. c\n- d',
      '<ul><li><p>a</p><ul><li><p>b</p><ol 1><li><p>c</p></li></list></li></list></li><li><p>d</p></li></list>',
    ],
    ['1. a\n  - b\n2. c', '<ol 1><li><p>a</p><ul><li><p>b</p></li></list></li><li><p>c</p></li></list>'],
    ['3) a\n\n4) b', '<ol 3 loose><li><p>a</p></li><li><p>b</p></li></list>'],
    ['- [ ] a\n- [x] b', '<ul><li todo><p>a</p></li><li done><p>b</p></li></list>'],
    ['- a\n\n  ```sh\n  ls\n  ```', '<ul loose><li><p>a</p><pre sh>ls</pre></li></list>'],
    ['- a\nlazy\n\npara', '<ul><li><p>a<br>lazy</p></li></list><p>para</p>'],
    ['| a | b |\n|:--|--:|\n| 1 | `x\\|y` |\n| 2 |', '<table left,right>a|b/1|<code>x|y</code>/2|</table>'],
    ['intro\n| a |\n|---|\n| 1 |\n\nend', '<p>intro</p><table ->a/1</table><p>end</p>'],
    ['[x](https://a.example/p?q=1 "t")', '<p><a https://a.example/p?q=1>x</a></p>'],
    ['see https://a.example/x_(y). Then', '<p>see <a https://a.example/x_(y)>https://a.example/x_(y)</a>. Then</p>'],
    ['**https://a.example/b**', '<p><strong><a https://a.example/b>https://a.example/b</a></strong></p>'],
    [
      '<https://a.example> [b](<https://b.example/c d>)',
      '<p><a https://a.example/>https://a.example</a> <dead https://b.example/c d>b</dead></p>',
    ],
    [
      '[a [b](https://b.example) c](https://c.example)',
      '<p>[a <a https://b.example/>b</a> c](<a https://c.example/>https://c.example</a>)</p>',
    ],
    ['[https://a.example](https://a.example)', '<p><a https://a.example/>https://a.example</a></p>'],
    ['a\r\nb\r\n\r\n- c\r\n', '<p>a<br>b</p><ul><li><p>c</p></li></list>'],
  ])('%j', (text, expected) => {
    expect(html(text)).toBe(expected);
  });

  test('C03 a link may lead only to http, https and mailto', () => {
    for (const bad of [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'file:///etc/passwd',
      '/v1/x',
      '//evil.example',
      '#x',
      'java\u0000script:x',
      '&#106;avascript:alert(1)',
      'https://bank.example@evil.example/',
    ]) {
      expect(html(`[x](${bad})`), bad).not.toContain('<a ');
    }
    expect(html('[x](mailto:a@b.example)')).toContain('<a mailto:a@b.example>');
  });

  test('C04 a remote image is never an image: only a link that names its host', () => {
    expect(html('![a b](https://evil.example/?q=SECRET)')).toBe('<p><img a b https://evil.example/?q=SECRET></p>');
    expect(html('![x](data:image/png;base64,AAAA)')).toBe('<p><img x none></p>');
    expect(html('![x](javascript:alert(1))')).toBe('<p><img x none></p>');
  });

  test('words that name another host than the address are marked', () => {
    expect(html('[bank.example](https://evil.example/)')).toContain(' !>');
    expect(html('[https://bank.example/login](https://evil.example/)')).toContain(' !>');
    expect(html('[www.bank.example](https://bank.example/)')).not.toContain(' !>');
    expect(html('[notes.md](https://files.example/notes.md)')).not.toContain(' !>');
  });
});

/** Text made of the characters that mean something, so that structures really form. */
const marked = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          '*',
          '**',
          '_',
          '`',
          '```',
          '~~',
          '[',
          '](',
          ')',
          '![',
          '<',
          '>',
          '|',
          '\n',
          '\n\n',
          '- ',
          '1. ',
          '    ',
          '# ',
          '---',
          '|---|---|',
          '\\',
          '&#58;',
          '\t',
          '\r\n',
          'https://a.example/',
          '[a](javascript:',
          '![b](data:,',
          '[c](//',
          '<javascript:',
          'javascript:alert(1)',
          'data:text/html,',
          '  ',
        ),
      },
      { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

describe('Markdown, whatever comes in', () => {
  test('never yields an address outside of http, https and mailto', () => {
    fc.assert(
      fc.property(marked, (text) => {
        const walk = (nodes: readonly Inline[]): void => {
          for (const node of nodes) {
            if (node.type === 'link') expect(node.href).toMatch(/^(?:https?:\/\/|mailto:)/);
            if (node.type === 'image' && node.href !== null) expect(node.href).toMatch(/^https?:\/\//);
            if ('children' in node) walk(node.children);
          }
        };
        eachInline(parseMarkdown(text), walk);
      }),
      { numRuns: 2_000 },
    );
  });

  test('growing a text step by step gives what parsing it at once gives, at every step', () => {
    fc.assert(
      fc.property(marked, fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 40 }), (text, steps) => {
        let growing = NOTHING;
        for (let at = 0, step = 0; at < text.length; step++) {
          at = Math.min(text.length, at + (steps[step % steps.length] ?? 1));
          const before = growing.settled;
          growing = grow(growing, text.slice(0, at));
          expect([...growing.settled, ...growing.open]).toEqual(parseMarkdown(text.slice(0, at)));
          for (const [index, block] of before.entries()) expect(growing.settled[index]).toBe(block);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['prose', 'The quick *brown* fox, `code` and [a link](https://a.example/b). '],
    ['opening brackets', '['],
    ['image brackets', '![a'],
    ['link halves', '[a](b'],
    ['images in images', '![a](b)]('],
    ['stars', '*a '],
    ['star pairs', '**a*b_'],
    ['mixed runs', '*_*__**a'],
    ['closers', 'a** b* '],
    ['back ticks', '`` ` ``` a'],
    ['quotes', '> '],
    ['list items', '- '],
    ['nested items', '- a\n  '],
    ['addresses', 'https://a.example/?'],
    ['addresses in brackets', '![https://a.example '],
    ['bars', '|a'],
    ['table rows', '| a | b |\n|---|---|\n'],
    ['angles', '<https://a'],
    ['ampersands', '&#'],
    ['spaces', '#      '],
    ['tildes', '~~a~~~'],
    ['titles', '[a](b "'],
    ['blank lines', '\n \n'],
  ])('reads 100 kB of %s in under 100 ms', (_name, piece) => {
    const text = piece.repeat(Math.ceil(100_000 / piece.length));
    // Time on the processor, and the better of two: what else runs on the machine is not the renderer's doing.
    const times = [cpuMs(() => parseMarkdown(text)), cpuMs(() => parseMarkdown(text))];
    expect(Math.min(...times)).toBeLessThan(100);
  });

  test('thousands of nested openers do not exhaust the stack, and no words are lost', () => {
    const text = `${'*a '.repeat(20_000)}${'b* '.repeat(20_000)}`;
    const words: string[] = [];
    eachInline(parseMarkdown(text), (nodes) => words.push(textOf(nodes)));
    expect(words.join('').replaceAll(/[* ]/g, '').length).toBe(40_000);
  });

  test('growing 100 kB by small steps re-reads only the open block', () => {
    const text = 'A paragraph with **bold** words and `code`.\n\n- one\n- two\n\n'.repeat(1_700);
    let growing = NOTHING;
    const ms = cpuMs(() => {
      for (let at = 0; at < text.length; at += 40) growing = grow(growing, text.slice(0, at));
    });
    expect(ms).toBeLessThan(1_000);
    expect(growing.settled.length).toBeGreaterThan(3_000);
  });
});

function cpuMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

function eachInline(blocks: readonly Block[], visit: (nodes: readonly Inline[]) => void): void {
  for (const block of blocks) {
    if (block.type === 'paragraph' || block.type === 'heading') visit(block.children);
    else if (block.type === 'quote') eachInline(block.blocks, visit);
    else if (block.type === 'list') for (const item of block.items) eachInline(item.blocks, visit);
    else if (block.type === 'table') for (const cell of [...block.head, ...block.rows.flat()]) visit(cell);
  }
}
