/**
 * Markdown to prose: markdown-it's tokens as HTML and as plain text.
 *
 * A quiz file comes from anyone, so no HTML of its own reaches the page. markdown-it is told to
 * recognise HTML all the same: comments carry the sources, and the rest is worth an error message.
 */
import MarkdownIt, { type Token } from 'markdown-it';
import { escapeHtml, type Prose } from './model';

const markdown = new MarkdownIt({ html: true });
markdown.renderer.rules.html_block = (tokens, index) => escapeHtml(tokens[index].content);
markdown.renderer.rules.html_inline = (tokens, index) => escapeHtml(tokens[index].content);

export type { Token };

/** The file as markdown-it's tokens. Their `map` holds lines from 0. */
export function tokensOf(source: string): Token[] {
  return markdown.parse(source, {});
}

/** Blocks (paragraphs, code, quotes) as prose. */
export function blockProse(tokens: Token[]): Prose {
  return { html: markdown.renderer.render(tokens, markdown.options, {}).trim(), text: blockText(tokens) };
}

/** What stands in one line of Markdown, as prose. */
export function inlineProse(inline: Token): Prose {
  const children = inline.children ?? [];
  const html = markdown.renderer.renderInline(children, markdown.options, {}).trim();
  return { html, text: inlineText(children) };
}

function blockText(tokens: Token[]): string {
  const parts: string[] = [];
  for (const token of tokens) {
    if (token.type === 'inline') parts.push(inlineText(token.children ?? []));
    if (token.type === 'fence' || token.type === 'code_block') {
      parts.push(token.content.trimEnd().replace(/^/gm, '    '));
    }
  }
  return parts.join('\n');
}

function inlineText(children: Token[]): string {
  const parts = children.map((child) => (child.type.endsWith('break') ? ' ' : child.content));
  return parts.join('').trim();
}
