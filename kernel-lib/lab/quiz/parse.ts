/**
 * Reads a quiz file: Markdown that reads well on any page, with the questions as headings (`###`).
 *
 * The plan: front matter off, tokens from markdown-it (which know their lines), blocks, a question
 * from each heading to the next. Below the heading come in this order: more text, hints (quotes), the
 * answers (`answers.ts` has their forms), an explanation. A comment names the source of the facts.
 * Whatever is wrong is collected, and thrown once, as `QuizError`.
 */
import { FORMS, holdsAnswers, readAnswers } from './answers';
import {
  type Block,
  blocksOf,
  type Comment,
  complainAboutLazyQuotes,
  complainAboutLinks,
  complainAboutOpenCode,
  inlineOf,
  insideOf,
  withoutComments,
} from './blocks';
import { fold } from './grade';
import type { Asked, Prose, Question, Quiz } from './model';
import { ProblemList } from './problems';
import { blockProse, inlineProse, tokensOf } from './prose';

export { QuizError } from './problems';

/** The longest quiz file, in characters. Far more than anybody answers. */
const LONGEST = 100_000;

const KEYS = ['title', 'lesson'];

/**
 * The quiz that a file holds.
 * @param source the file's text
 * @param file its name, for messages; the quiz is called after it, without folder and `.md`
 * @throws QuizError with every problem, each with its line
 */
export function parseQuiz(source: string, file: string): Quiz {
  const problems = new ProblemList(file);
  const text = source.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  if (text.length > LONGEST) problems.add(1, `longer than ${LONGEST} characters: this is no quiz`);
  const lines = text.slice(0, LONGEST).split('\n');
  const broken = lines.findIndex((line) => /[\0\uFFFD]/.test(line));
  if (broken >= 0) problems.add(broken + 1, 'not readable as text: save the file as UTF-8');
  lines.forEach((line, index) => {
    if (/^(<{7}|>{7}) /.test(line))
      problems.add(
        index + 1,
        'two versions of the file were not merged here: keep one, and take this line out',
      );
  });
  problems.throwIfAny();

  const { title, lesson } = takeFrontMatter(lines, problems);
  const questions = readQuestions(lines, problems);
  problems.throwIfAny();
  return { name: file.replace(/^.*[\\/]/, '').replace(/\.md$/, ''), title, lesson, questions };
}

/** Reads the lines between the two `---` and makes them empty, so that line numbers stay what they are. */
function takeFrontMatter(lines: string[], problems: ProblemList): { title: string; lesson: string } {
  const found = new Map<string, string>();
  const end = lines.findIndex((line, index) => index > 0 && /^---\s*$/.test(line));
  if (!/^---\s*$/.test(lines[0])) {
    problems.add(1, 'no front matter: begin the file with ---, title: …, lesson: …, ---, each on its line');
    return { title: '', lesson: '' };
  }
  if (end < 0) {
    problems.add(1, 'the front matter is not closed: put --- below its last line');
    problems.throwIfAny();
  }
  for (let index = 1; index < end; index++) readEntry(lines[index], index + 1, found, problems);
  lines.fill('', 0, end + 1);
  const title = found.get('title') ?? '';
  const lesson = found.get('lesson') ?? '';
  if (title === '') problems.add(1, 'the front matter has no title: add the line `title: …`');
  if (!/^\d\d$/.test(lesson))
    problems.add(1, 'the front matter has no lesson: add its number with two digits, `lesson: 03`');
  return { title, lesson };
}

function readEntry(line: string, number: number, found: Map<string, string>, problems: ProblemList): void {
  if (line.trim() === '') return;
  const [, key, value] = /^(\w+):(.*)$/.exec(line) ?? [];
  if (key === undefined || !KEYS.includes(key))
    problems.add(
      number,
      `front matter knows only ${KEYS.join(' and ')}, each as \`title: …\` on a line of its own`,
    );
  else if (found.has(key)) problems.add(number, `${key} is given twice`);
  else found.set(key, value.trim().replace(/^(["'])(.*)\1$/, '$2'));
}

function readQuestions(lines: string[], problems: ProblemList): Question[] {
  const tokens = tokensOf(lines.join('\n'));
  complainAboutLazyQuotes(tokens, lines, problems);
  complainAboutOpenCode(tokens, lines, problems);
  complainAboutLinks(tokens, problems);
  const starts = tokens.flatMap((token, index) =>
    token.type === 'heading_open' && token.level === 0 ? [index] : [],
  );
  for (const block of blocksOf(withoutComments(tokens.slice(0, starts[0]), [], problems)))
    problems.add(block.line, 'this stands before the first question: a question begins with ### and a space');
  if (starts.length === 0)
    problems.add(1, 'no question: write each as `### What is …?` and its answers below');
  const questions = starts.flatMap((start, index) => {
    const comments: Comment[] = [];
    const own = withoutComments(tokens.slice(start, starts[index + 1]), comments, problems);
    return readQuestion(blocksOf(own), comments, problems) ?? [];
  });
  complainAboutTwins(questions, problems);
  return questions;
}

function readQuestion(blocks: Block[], comments: Comment[], problems: ProblemList): Question | undefined {
  const [heading, ...below] = blocks;
  const inline = inlineOf(heading);
  const prompt = inline ? inlineProse(inline) : { html: '', text: '' };
  if (heading.tokens[0].markup !== '###')
    problems.add(heading.line, 'a question begins with ### (three of them); there are no other headings');
  if (prompt.html === '') problems.add(heading.line, 'the question is empty: write it after the ###');
  const source = comments.map((comment) => comment.text).join('; ');
  if (source === '')
    problems.add(
      heading.line,
      'the question names no source: add a comment below it, such as <!-- S0 Q2 -->',
    );
  for (const block of below) complainAboutBlock(block, problems);

  const at = below.findIndex(holdsAnswers);
  if (at < 0) {
    problems.add(heading.line, `the question has no answers: ${FORMS}`);
    return undefined;
  }
  complainAboutMoreAnswers(below.slice(at + 1), problems);
  const answers = readAnswers(below[at], problems);
  if (!answers) return undefined;
  const asked: Asked = {
    line: heading.line,
    prompt,
    body: proseOf(below.slice(0, at).filter((block) => block.type !== 'blockquote')),
    hints: below
      .slice(0, at)
      .filter((block) => block.type === 'blockquote')
      .map(quoted),
    explanation: explanationOf(below.slice(at + 1)),
    source,
  };
  return { ...asked, ...answers };
}

function complainAboutBlock(block: Block, problems: ProblemList): void {
  const content = block.type === 'paragraph' ? (inlineOf(block)?.content ?? '').split('\n') : [];
  const late = content.findIndex((line, index) => index > 0 && /^\s*(= ?[\d[.+-]|\[\[|\|)/.test(line));
  if (late > 0 && !holdsAnswers(block))
    problems.add(
      block.line + late,
      'put an empty line before the answers: this one belongs to the text above',
    );
  if (block.type === 'hr')
    problems.add(block.line, 'a rule (---) has no meaning between questions: take it out');
}

function complainAboutMoreAnswers(blocks: Block[], problems: ProblemList): void {
  const second = blocks.find(holdsAnswers);
  if (second)
    problems.add(
      second.line,
      'a second set of answers: a question has one. Feedback must be indented as far as the text of its answer',
    );
}

function explanationOf(blocks: Block[]): Prose {
  return proseOf(blocks.flatMap((block) => (block.type === 'blockquote' ? insideOf(block) : [block])));
}

function quoted(block: Block): Prose {
  return proseOf(insideOf(block));
}

function proseOf(blocks: Block[]): Prose {
  return blockProse(blocks.flatMap((block) => block.tokens));
}

function complainAboutTwins(questions: Question[], problems: ProblemList): void {
  const seen = new Map<string, number>();
  for (const question of questions) {
    const words = fold(question.prompt.text + question.body.text);
    const earlier = seen.get(words);
    if (earlier !== undefined)
      problems.add(question.line, `the same question stands in line ${earlier}: take one of them out`);
    else seen.set(words, question.line);
  }
}
