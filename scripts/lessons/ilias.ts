/**
 * Quizzes as QTI 1.2 in the dialect of ILIAS, which reads no other: what its own export of a question
 * pool looks like. Six kinds of question are six of ILIAS's.
 *
 * ILIAS takes what it needs from where it writes it itself: the type from the metadata (with an author,
 * without whom a question is not complete), points from a condition for each answer, feedback from the
 * condition that gives the points, and general feedback under two names of its own, for right and wrong.
 */
import type {
  Matching,
  Ordering,
  Prose,
  Question,
  Quiz,
  SeveralAnswers,
} from '../../kernel-lib/lab/quiz/model';
import { idOf, itemFeedback, itemMetadata, material, nameOf, xml } from './qti-xml';
import { decimal, wordsAfter } from './quiz-parts';

/** What ILIAS calls the kinds of question, and the metadata that it wants besides. */
const TYPES: Record<Question['kind'], readonly (readonly [string, string])[]> = {
  single: [['QUESTIONTYPE', 'SINGLE CHOICE QUESTION']],
  several: [['QUESTIONTYPE', 'MULTIPLE CHOICE QUESTION']],
  number: [['QUESTIONTYPE', 'NUMERIC QUESTION']],
  text: [
    ['QUESTIONTYPE', 'TEXTSUBSET QUESTION'],
    // Case doesn't count; there is one box.
    ['textrating', 'ci'],
    ['correctanswers', '1'],
  ],
  match: [
    ['QUESTIONTYPE', 'MATCHING QUESTION'],
    ['shuffle', '1'],
    ['thumb_geometry', '100'],
  ],
  order: [
    ['QUESTIONTYPE', 'ORDERING QUESTION'],
    ['points', '1'],
  ],
};

/** Feedback of those options that were chosen, as in a notebook. */
const FEEDBACK_OF_CHOSEN = '2';

/**
 * A quiz as the text of a QTI file for ILIAS.
 * @throws Error with the line, for an accepted answer with a comma, at which ILIAS would cut it in two
 */
export function iliasOf(quiz: Quiz): string {
  const items = quiz.questions.map((question, index) => itemOf(quiz, question, index));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<questestinterop>\n${items.join('\n')}\n</questestinterop>\n`;
}

function itemOf(quiz: Quiz, question: Question, index: number): string {
  const name = nameOf(quiz, index);
  const metadata = itemMetadata([
    ...TYPES[question.kind],
    ...(question.kind === 'match' ? [matchingMode(question)] : []),
    ['AUTHOR', 'vmlab'],
    ['externalId', idOf(name)],
    ['ilias_lifecycle', 'final'],
    ['feedback_setting', FEEDBACK_OF_CHOSEN],
    ['source', question.source],
  ]);
  const { response, conditions, feedback } = partsOf(quiz, question);
  const words = wordsAfter(question);
  const general = ['allcorrect', 'onenotcorrect'].map((when) => itemFeedback(`response_${when}`, words));
  return `<item ident="${idOf(name)}" title="${xml(name)}" maxattempts="0">
${metadata}
<presentation label="${xml(name)}">
<flow>
${material(`<p>${question.prompt.html}</p>${question.body.html}`)}
${response}
</flow>
</presentation>
<resprocessing>
<outcomes><decvar/></outcomes>
${conditions.join('\n')}
</resprocessing>
${[...feedback, ...general].join('\n')}
</item>`;
}

/** What differs from type to type. */
interface Parts {
  response: string;
  conditions: string[];
  feedback: string[];
}

function partsOf(quiz: Quiz, question: Question): Parts {
  switch (question.kind) {
    case 'single': {
      const points = question.options.map((_, n) => (n === question.right ? '1' : '0'));
      return choiceParts('MCSR', 'Single', question.options, points);
    }
    case 'several':
      return choiceParts('MCMR', 'Multiple', question.options, pointsOf(question));
    case 'number': {
      const test = `<vargte respident="NUM">${decimal(question.low)}</vargte><varlte respident="NUM">${decimal(question.high)}</varlte>`;
      const box = '<render_fib fibtype="Decimal" maxchars="40"/>';
      return typedParts(
        `<response_num ident="NUM" rcardinality="Single" numtype="Decimal">${box}</response_num>`,
        condition(test, '1'),
      );
    }
    case 'text': {
      const words = question.written.map((word) => word.trim());
      const cut = words.find((word) => word.includes(','));
      if (cut !== undefined)
        throw new Error(
          `quizzes/${quiz.name}.md:${question.line}: ILIAS would take ${JSON.stringify(cut)} for two answers. Write it without the comma.`,
        );
      const test = `<varsubset respident="TEXTSUBSET_1">${xml(words.join(','))}</varsubset>`;
      const box = '<render_fib fibtype="String" columns="40"/>';
      return typedParts(
        `<response_str ident="TEXTSUBSET_1" rcardinality="Single">${box}</response_str>`,
        condition(test, '1', 'response_allcorrect', ' varname="matches"'),
      );
    }
    case 'match':
      return matchParts(question);
    case 'order':
      return orderParts(question);
  }
}

/** The points of each option: the shares of the right ones make 1 to the last digit, a wrong one takes one away. */
function pointsOf({ options, right }: SeveralAnswers): string[] {
  const shares = sharesOf(right.length);
  return options.map((_, n) => (right.includes(n) ? shares[right.indexOf(n)] : `-${shares[0]}`));
}

/** One point in so many parts of five decimals. */
function sharesOf(count: number): string[] {
  const share = Number((1 / count).toFixed(5));
  return Array.from({ length: count }, (_, n) => decimal(n === count - 1 ? 1 - share * n : share));
}

function choiceParts(
  ident: string,
  cardinality: string,
  options: { html: string; feedback: Prose }[],
  points: string[],
): Parts {
  const labels = options.map(
    ({ html }, n) => `<response_label ident="${n}">${material(html)}</response_label>`,
  );
  const chosen = (n: number) => `<varequal respident="${ident}">${n}</varequal>`;
  return {
    response: `<response_lid ident="${ident}" rcardinality="${cardinality}"><render_choice shuffle="Yes">${labels.join('')}</render_choice></response_lid>`,
    conditions: options.flatMap((_, n) => [
      condition(chosen(n), points[n], `response_${n}`),
      condition(`<not>${chosen(n)}</not>`, '0', `response_${n}`),
    ]),
    feedback: options.map((option, n) => itemFeedback(`response_${n}`, option.feedback.html)),
  };
}

function typedParts(response: string, test: string): Parts {
  return { response, conditions: [test], feedback: [] };
}

/** Whether a right half may stand for several left ones. */
function matchingMode({ rights, right }: Matching): readonly [string, string] {
  return ['matching_mode', right.length > rights.length ? 'n:n' : '1:1'];
}

/** Left halves are ILIAS's definitions, numbered from 1; right halves its terms, numbered on from there. */
function matchParts({ lefts, rights, right }: Matching): Parts {
  const term = (n: number) => lefts.length + 1 + n;
  const terms = rights.map((_, n) => term(n)).join(',');
  const labels = [
    ...lefts.map(
      ({ html }, n) =>
        `<response_label ident="${n + 1}" match_max="1" match_group="${terms}">${material(html)}</response_label>`,
    ),
    ...rights.map(({ html }, n) => `<response_label ident="${term(n)}">${material(html)}</response_label>`),
  ];
  const shares = sharesOf(lefts.length);
  return {
    response: `<response_grp ident="MQ" rcardinality="Multiple"><render_choice shuffle="Yes">${labels.join('')}</render_choice></response_grp>`,
    conditions: right.map((half, n) =>
      condition(`<varsubset respident="MQ">${term(half)},${n + 1}</varsubset>`, shares[n]),
    ),
    feedback: [],
  };
}

/** The items stand in their right order, and are shown shuffled. */
function orderParts({ items, right }: Ordering): Parts {
  const labels = right.map(
    (item, place) => `<response_label ident="${place}">${material(items[item].html)}</response_label>`,
  );
  const shares = sharesOf(right.length);
  return {
    response: `<response_lid ident="OQT" rcardinality="Ordered"><render_choice shuffle="Yes">${labels.join('')}</render_choice></response_lid>`,
    conditions: right.map((_, place) =>
      condition(`<varequal respident="OQT" index="${place}">${place}</varequal>`, shares[place]),
    ),
    feedback: [],
  };
}

function condition(test: string, points: string, feedback = 'response_allcorrect', variable = ''): string {
  return `<respcondition continue="Yes"><conditionvar>${test}</conditionvar><setvar${variable} action="Add">${points}</setvar><displayfeedback feedbacktype="Response" linkrefid="${feedback}"/></respcondition>`;
}
