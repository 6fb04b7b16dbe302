// Owns how a reply in Markdown looks in Telegram: the few tags that its HTML mode knows. It may be wrong about a text, but
// never unsafe: all that is not ours is escaped, and a text that Telegram cannot parse is sent as it is.

const FENCE = /^ {0,3}(```+|~~~+)[ \t]*([\w+#.-]*)[^\n]*\n([\s\S]*?)(?:(?:\n|^) {0,3}\1[ \t]*$|(?![\s\S]))/gm;

export function toHtml(text: string): string {
  let html = '';
  let at = 0;
  for (const found of text.matchAll(FENCE)) {
    html += prose(text.slice(at, found.index));
    const [whole, , language = '', code = ''] = found;
    const open = language === '' ? '<pre>' : `<pre><code class="language-${escapeHtml(language)}">`;
    html += `${open}${escapeHtml(code)}${language === '' ? '</pre>' : '</code></pre>'}`;
    at = found.index + whole.length;
  }
  return html + prose(text.slice(at));
}

/** Inline code first: nothing inside it means anything. */
function prose(text: string): string {
  let html = '';
  let at = 0;
  for (const found of text.matchAll(/`([^`\n]+)`/g)) {
    html += `${marked(text.slice(at, found.index))}<code>${escapeHtml(found[1] ?? '')}</code>`;
    at = found.index + found[0].length;
  }
  return html + marked(text.slice(at));
}

function marked(text: string): string {
  return escapeHtml(text)
    .replace(/^#{1,6} +([^\n]+)$/gm, '<b>$1</b>')
    .replace(/\*\*(?=\S)([^*\n]{1,500}?\S)\*\*/g, '<b>$1</b>')
    .replace(/(?<![\w*])\*(?=[^\s*])([^*\n]{0,500}?[^\s*])\*(?![\w*])/g, '<i>$1</i>')
    .replace(/(?<![\w_])_(?=[^\s_])([^_\n]{0,500}?[^\s_])_(?![\w_])/g, '<i>$1</i>')
    .replace(/~~(?=\S)([^~\n]{1,500}?\S)~~/g, '<s>$1</s>')
    .replace(/\[([^[\]\n]{1,200})\]\((https?:\/\/[^\s()<>]{1,1000})\)/g, linkTo);
}

/** A label that looks like an address of its own could lead somewhere else than it says. */
const linkTo = (_whole: string, label: string, url: string): string =>
  `<a href="${url}">${/\w[./:]\w|:\/\//.test(label.replace(/<\/?\w+>/g, '')) ? url : label}</a>`;

const escapeHtml = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
