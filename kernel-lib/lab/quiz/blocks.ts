/**
 * The file cut into blocks: a heading, a paragraph, a list, a quote, each with its tokens and line.
 *
 * markdown-it gives a flat list of tokens in which nesting is open and close. A block is what lies
 * between one opening at the top and its close. The comments (where the sources stand) are taken out
 * on the way, so that whoever reads on meets only prose.
 */
import type { ProblemList } from './problems';
import type { Token } from './prose';

export interface Block {
  /** markdown-it's name for it without `_open`: `paragraph`, `ordered_list`, `fence`. */
  type: string;
  /** From 1. */
  line: number;
  /** All its tokens, the opening and the closing one too. */
  tokens: Token[];
}

/** A comment on its own or in a line. The file's sources are written in comments: `<!-- S0 Q3 -->`. */
export interface Comment {
  line: number;
  text: string;
}

const COMMENT = /<!--([\s\S]*?)-->/g;
const ONLY_COMMENTS = /^\s*(<!--[\s\S]*?-->\s*)+$/;

/** Cuts tokens into blocks, one for each that is not inside another. */
export function blocksOf(tokens: Token[]): Block[] {
  const blocks: Block[] = [];
  let depth = 0;
  for (const token of tokens) {
    if (depth === 0) blocks.push({ type: token.type.replace(/_open$/, ''), line: lineOf(token), tokens: [] });
    blocks[blocks.length - 1].tokens.push(token);
    depth += token.nesting;
  }
  return blocks;
}

/** What is inside a block: its tokens without the opening and the closing one, cut into blocks. */
export function insideOf(block: Block): Block[] {
  return blocksOf(block.tokens.slice(1, -1));
}

/** The block's line of text, of a heading or paragraph. */
export function inlineOf(block: Block): Token | undefined {
  return block.tokens.find((token) => token.type === 'inline');
}

/** Takes the comments out of the tokens and complains about any other HTML. */
export function withoutComments(tokens: Token[], comments: Comment[], problems: ProblemList): Token[] {
  const kept: Token[] = [];
  let line = 1;
  for (const token of tokens) {
    line = token.map ? lineOf(token) : line;
    if (token.type === 'inline') token.children = childrenWithoutComments(token, comments, problems);
    if (token.type !== 'html_block') kept.push(token);
    else if (ONLY_COMMENTS.test(token.content)) takeComments(token.content, line, comments);
    else problems.add(line, htmlProblem(token.content));
  }
  return kept;
}

function childrenWithoutComments(inline: Token, comments: Comment[], problems: ProblemList): Token[] {
  const kept: Token[] = [];
  let line = lineOf(inline);
  for (const child of inline.children ?? []) {
    if (child.type.endsWith('break')) line += 1;
    if (child.type !== 'html_inline') kept.push(child);
    else if (ONLY_COMMENTS.test(child.content)) takeComments(child.content, line, comments);
    else problems.add(line, htmlProblem(child.content));
  }
  return kept;
}

function takeComments(content: string, line: number, comments: Comment[]): void {
  for (const [, text] of content.matchAll(COMMENT)) comments.push({ line, text: text.trim() });
}

function htmlProblem(content: string): string {
  const trimmed = content.trim();
  if (trimmed.startsWith('<!--')) {
    return trimmed.includes('-->')
      ? 'text beside a comment: put the comment on a line of its own'
      : 'this comment is not closed: end it with -->';
  }
  const start = trimmed.split(/[\n>]/, 1)[0].slice(0, 30);
  return `HTML is not shown in a quiz (${start}…): use Markdown, and \`backticks\` around angle brackets`;
}

/** Complains about lines that Markdown counts into a quote although they don't begin with `>`. */
export function complainAboutLazyQuotes(tokens: Token[], lines: string[], problems: ProblemList): void {
  for (const token of tokens) {
    if (token.type !== 'blockquote_open' || !token.map) continue;
    for (let line = token.map[0]; line < token.map[1]; line++) {
      if (/^\s*$|^\s*(?:(?:[-*+]|\d+[.)])\s+)*>/.test(lines[line])) continue;
      problems.add(
        line + 1,
        'this line would run on in the quote above it: begin it with >, or put an empty line before it',
      );
    }
  }
}

/** The token's line, from 1. */
export function lineOf(token: Token): number {
  return (token.map?.[0] ?? 0) + 1;
}
