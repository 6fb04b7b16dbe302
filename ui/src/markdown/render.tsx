// Owns drawing parsed Markdown. It creates exactly the elements named here, text goes in as text, and an address comes
// only from the tree, which holds none that links.ts has not passed.
import type { ComponentChildren, VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { CopyButton } from '../shell/copy.tsx';
import { Icon } from '../shell/icons.tsx';
import { Scrolls } from '../shell/scrolls.tsx';
import { grow, NOTHING } from './stream.ts';
import type { Align, Block, Inline } from './tree.ts';

/** A text that may still be growing: only its last block is read and drawn again. */
export function Markdown({ text }: { text: string }) {
  const growing = useRef(NOTHING);
  // A node that is the same object as before is not even compared; blocks that are settled keep theirs.
  const drawn = useRef(new WeakMap<Block, VNode>());
  growing.current = grow(growing.current, text);
  const { settled, open } = growing.current;
  const draw = (block: Block, at: number): VNode => {
    const node = drawn.current.get(block) ?? <BlockView key={at} block={block} />;
    drawn.current.set(block, node);
    return node;
  };
  return <div class="md">{[...settled, ...open].map(draw)}</div>;
}

function BlockView({ block }: { block: Block }) {
  return drawBlock(block);
}

function drawBlock(block: Block) {
  switch (block.type) {
    case 'paragraph':
      return <p>{drawInline(block.children)}</p>;
    case 'heading': {
      // The page's own headings are h1 and h2; a message's come below them.
      const Heading = `h${Math.min(6, block.level + 2)}` as 'h3' | 'h4' | 'h5' | 'h6';
      return <Heading class={`md-h${block.level}`}>{drawInline(block.children)}</Heading>;
    }
    case 'code':
      return <CodeBlock language={block.language} text={block.text} />;
    case 'quote':
      return <blockquote>{block.blocks.map(drawBlock)}</blockquote>;
    case 'list':
      return <ListView list={block} />;
    case 'table':
      return <TableView table={block} />;
    case 'rule':
      return <hr />;
  }
}

function ListView({ list }: { list: Extract<Block, { type: 'list' }> }) {
  const items = list.items.map((item, at) => {
    const first = item.blocks[0];
    // A tight item has no paragraph of its own around its words.
    const words = list.tight && first?.type === 'paragraph' ? drawInline(first.children) : null;
    const blocks = (words === null ? item.blocks : item.blocks.slice(1)).map(drawBlock);
    return (
      <li key={at} class={item.task === null ? undefined : 'task'}>
        {item.task !== null && <TaskBox done={item.task} />}
        {words}
        {blocks}
      </li>
    );
  });
  return list.start === null ? <ul>{items}</ul> : <ol start={list.start}>{items}</ol>;
}

function TaskBox({ done }: { done: boolean }) {
  return (
    <span class={done ? 'task-box is-done' : 'task-box'} role="img" aria-label={done ? 'done:' : 'to do:'}>
      {done && <Icon name="check" size={12} />}
    </span>
  );
}

function TableView({ table }: { table: Extract<Block, { type: 'table' }> }) {
  return (
    <Scrolls name="Table" class="md-table">
      <table>
        <thead>
          <tr>
            {table.head.map((cell, column) => (
              <th key={column} scope="col" class={alignClass(table.align[column])}>
                {drawInline(cell)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) => (
                <td key={column} class={alignClass(table.align[column])}>
                  {drawInline(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolls>
  );
}

function alignClass(align: Align | undefined): string | undefined {
  return align ? `align-${align}` : undefined;
}

export function CodeBlock({ language, text }: { language: string; text: string }) {
  return (
    <div class="code">
      <div class="code-head">
        <span class="code-language">{language || 'text'}</span>
        <CopyButton text={() => text} label="Copy code" />
      </div>
      <Scrolls name={`Code${language ? ` in ${language}` : ''}`} class="code-text">
        <pre>
          <code>{text}</code>
        </pre>
      </Scrolls>
    </div>
  );
}

export function drawInline(nodes: readonly Inline[]): ComponentChildren[] {
  return nodes.map(drawNode);
}

function drawNode(node: Inline): ComponentChildren {
  switch (node.type) {
    case 'text':
      return node.text;
    case 'code':
      return <code>{node.text}</code>;
    case 'break':
      return <br />;
    case 'em':
      return <em>{drawInline(node.children)}</em>;
    case 'strong':
      return <strong>{drawInline(node.children)}</strong>;
    case 'del':
      return <del>{drawInline(node.children)}</del>;
    case 'link':
      return (
        <OutsideLink href={node.href}>
          {drawInline(node.children)}
          {node.misleading && <span class="link-host"> ({node.host})</span>}
        </OutsideLink>
      );
    case 'dead-link':
      return (
        <>
          {drawInline(node.children)} <span class="link-host">({node.target})</span>
        </>
      );
    case 'image':
      return node.href === null ? (
        <span class="link-host">[image: {node.alt || 'no description'}]</span>
      ) : (
        <OutsideLink href={node.href}>
          {node.alt || 'image'} <span class="link-host">(image at {node.host})</span>
        </OutsideLink>
      );
  }
}

function OutsideLink({ href, children }: { href: string; children: ComponentChildren }) {
  return (
    <a href={href} title={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}
