/** Quizzes as pages that work from a file: one for each, and an index. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { escapeHtml, type Quiz } from '../../kernel-lib/lab/quiz/model';
import { renderQuizPage } from '../../kernel-lib/lab/quiz/render';

/** Writes the pages and returns their paths. */
export function writePages(quizzes: Quiz[], folder: string): string[] {
  const pages = new Map(quizzes.map((quiz) => [`${quiz.name}.html`, renderQuizPage(quiz)]));
  pages.set('index.html', indexPage(quizzes));
  mkdirSync(folder, { recursive: true });
  for (const [file, html] of pages) writeFileSync(join(folder, file), html);
  return [...pages.keys()].map((file) => join(folder, file));
}

function indexPage(quizzes: Quiz[]): string {
  const items = quizzes.map(
    ({ name, title, lesson, questions }) =>
      `<li><a href="${encodeURI(name)}.html">${lesson} · ${escapeHtml(title)}</a>, ${questions.length} questions</li>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Quizzes</title>
<style>:root { color-scheme: light dark; } body { font: 1rem/1.6 system-ui, sans-serif; max-width: 46em; margin: 1em auto; padding: 0 1em; } ul { list-style: none; padding: 0; }</style>
</head>
<body><main>
<h1>Quizzes</h1>
<p>Each page checks itself. Your answers stay in this browser.</p>
<ul>
${items.join('\n')}
</ul>
</main></body>
</html>
`;
}
