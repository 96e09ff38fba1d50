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

const NOT_CLOSED = 'this comment is not closed: end it with -->';
const BESIDE = 'text beside a comment: put the comment on a line of its own';
const NO_HTML = 'HTML is not shown in a quiz: use Markdown, and `backticks` around angle brackets';

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
    else takeComments(token.content, line, comments, problems);
  }
  return kept;
}

function childrenWithoutComments(inline: Token, comments: Comment[], problems: ProblemList): Token[] {
  const kept: Token[] = [];
  let line = lineOf(inline);
  for (const child of inline.children ?? []) {
    if (child.type.endsWith('break')) line += 1;
    if (child.type !== 'html_inline') kept.push(child);
    else takeComments(child.content, line, comments, problems);
  }
  return kept;
}

/** Takes comment after comment off the front; whatever else is there is complained about. */
function takeComments(content: string, line: number, comments: Comment[], problems: ProblemList): void {
  let rest = content.trim();
  while (rest.startsWith('<!--')) {
    const end = rest.indexOf('-->', 4);
    if (end < 0) break;
    comments.push({ line, text: rest.slice(4, end).trim() });
    rest = rest.slice(end + 3).trim();
  }
  if (rest === '') return;
  if (rest.startsWith('<!--')) problems.add(line, NOT_CLOSED);
  else problems.add(line, rest === content.trim() ? NO_HTML : BESIDE);
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

/** Complains about a block of code that runs on to the end of the file. */
export function complainAboutOpenCode(tokens: Token[], lines: string[], problems: ProblemList): void {
  for (const { type, map } of tokens) {
    if (type !== 'fence' || !map) continue;
    const isClosed = map[1] - map[0] > 1 && /(```|~~~)\s*$/.test(lines[map[1] - 1]);
    if (!isClosed) problems.add(map[0] + 1, 'this block of code is not closed: put ``` on a line below it');
  }
}

/** A quiz is also a page, and a file for a learning platform: nothing that lies beside it comes along. */
export function complainAboutLinks(tokens: Token[], problems: ProblemList): void {
  for (const inline of tokens) {
    let line = lineOf(inline);
    for (const child of inline.children ?? []) {
      if (child.type.endsWith('break')) line += 1;
      const target = child.type === 'link_open' ? String(child.attrGet('href')) : '';
      if (child.type === 'image')
        problems.add(line, 'a quiz has no pictures: describe it, or show it in the lesson');
      else if (target !== '' && !/^(https?|mailto):/.test(target))
        problems.add(
          line,
          `the link to ${target} leads nowhere from a page or a platform: write it out, https://…`,
        );
    }
  }
}

/** The token's line, from 1. */
export function lineOf(token: Token): number {
  return (token.map?.[0] ?? 0) + 1;
}
