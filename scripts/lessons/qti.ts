/**
 * Quizzes as QTI 1.2 for Canvas. (Moodle imports no QTI, and has GIFT; ILIAS has a dialect of its own,
 * `ilias.ts`, whose name of a question's type Canvas would take for its own.)
 *
 * Each item carries Canvas's name of its type. Points, feedback per answer and general feedback are
 * QTI's own. An order becomes pairs of place and item, which give the same points. Of pairs, Canvas shows
 * the right halves as text, and takes their numbers for identifiers, of which 0 is none: they count from 1.
 */
import type { Prose, Question, Quiz } from '../../kernel-lib/lab/quiz/model';
import { idOf, itemFeedback, itemMetadata, material, nameOf, plainMaterial, xml } from './qti-xml';
import { decimal, rightPairs, wordsAfter } from './quiz-parts';

const CANVAS_TYPES = {
  single: 'multiple_choice_question',
  several: 'multiple_answers_question',
  number: 'numerical_question',
  text: 'short_answer_question',
  match: 'matching_question',
  order: 'matching_question',
} as const;

/** A quiz as the text of a QTI 1.2 file. */
export function qtiOf(quiz: Quiz): string {
  const id = idOf(quiz.name);
  const items = quiz.questions.map((question, index) => itemOf(quiz, question, index)).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<questestinterop xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2">
<assessment ident="${id}" title="${xml(quiz.title)}">
<section ident="root_section">
${items}
</section>
</assessment>
</questestinterop>
`;
}

/** The manifest that lies beside the QTI file in a package. */
export function manifestOf(quiz: Quiz, file: string): string {
  const id = idOf(quiz.name);
  return `<?xml version="1.0" encoding="UTF-8"?>
<manifest identifier="${id}_manifest" xmlns="http://www.imsglobal.org/xsd/imscp_v1p1">
<metadata><schema>IMS Content</schema><schemaversion>1.1.3</schemaversion></metadata>
<organizations/>
<resources>
<resource identifier="${id}" type="imsqti_xmlv1p2" href="${xml(file)}"><file href="${xml(file)}"/></resource>
</resources>
</manifest>
`;
}

function itemOf(quiz: Quiz, question: Question, index: number): string {
  const name = nameOf(quiz, index);
  const metadata = itemMetadata([
    ['question_type', CANVAS_TYPES[question.kind]],
    ['points_possible', '1.0'],
    ['source', question.source],
  ]);
  const { responses, conditions, feedback } = partsOf(question);
  return `<item ident="${idOf(name)}" title="${xml(name)}">
${metadata}
<presentation>
${material(`<p>${question.prompt.html}</p>${question.body.html}`)}
${responses.join('\n')}
</presentation>
<resprocessing>
<outcomes><decvar maxvalue="100" minvalue="0" varname="SCORE" vartype="Decimal"/></outcomes>
<respcondition continue="Yes"><conditionvar><other/></conditionvar><displayfeedback feedbacktype="Response" linkrefid="general_fb"/></respcondition>
${conditions.join('\n')}
</resprocessing>
${[['general_fb', wordsAfter(question)] as const, ...feedback].map(([ident, html]) => itemFeedback(ident, html)).join('\n')}
</item>`;
}

/** What differs from type to type. */
interface Parts {
  responses: string[];
  conditions: string[];
  /** Ident and HTML. */
  feedback: [string, string][];
}

function partsOf(question: Question): Parts {
  switch (question.kind) {
    case 'single':
      return choiceParts(
        question.options,
        'Single',
        `<varequal respident="response1">a${question.right}</varequal>`,
      );
    case 'several': {
      const tests = question.options.map((_, n) => {
        const chosen = `<varequal respident="response1">a${n}</varequal>`;
        return question.right.includes(n) ? chosen : `<not>${chosen}</not>`;
      });
      return choiceParts(question.options, 'Multiple', `<and>${tests.join('')}</and>`);
    }
    case 'number':
      return typedParts('Decimal', numberTest(question.low, question.high));
    case 'text':
      return typedParts(
        'String',
        question.written
          .map((word) => `<varequal respident="response1" case="No">${xml(word)}</varequal>`)
          .join(''),
      );
    default:
      return pairParts(rightPairs(question));
  }
}

function choiceParts(
  options: { html: string; feedback: Prose }[],
  cardinality: string,
  right: string,
): Parts {
  const labels = options.map(
    (option, n) => `<response_label ident="a${n}">${material(option.html)}</response_label>`,
  );
  const withFeedback = options.flatMap(({ feedback }, n) =>
    feedback.html === '' ? [] : [{ n, html: feedback.html }],
  );
  return {
    responses: [
      `<response_lid ident="response1" rcardinality="${cardinality}"><render_choice>${labels.join('')}</render_choice></response_lid>`,
    ],
    conditions: [
      ...withFeedback.map(
        ({ n }) =>
          `<respcondition continue="Yes"><conditionvar><varequal respident="response1">a${n}</varequal></conditionvar><displayfeedback feedbacktype="Response" linkrefid="a${n}_fb"/></respcondition>`,
      ),
      scored(right),
    ],
    feedback: withFeedback.map(({ n, html }) => [`a${n}_fb`, html]),
  };
}

function typedParts(type: 'Decimal' | 'String', right: string): Parts {
  const fib = type === 'Decimal' ? ' fibtype="Decimal"' : '';
  return {
    responses: [
      `<response_str ident="response1" rcardinality="Single"><render_fib${fib}><response_label ident="answer1"/></render_fib></response_str>`,
    ],
    conditions: [scored(right)],
    feedback: [],
  };
}

/** An exact number is asked for as such; a range by its bounds. */
function numberTest(low: number, high: number): string {
  const [from, to] = [decimal(low), decimal(high)];
  const range = `<and><vargte respident="response1">${from}</vargte><varlte respident="response1">${to}</varlte></and>`;
  return low === high ? `<or><varequal respident="response1">${from}</varequal>${range}</or>` : range;
}

function pairParts(pairs: [Prose, Prose][]): Parts {
  const rights = [...new Map(pairs.map(([, right]) => [right.html, right])).values()].sort((a, b) =>
    a.text < b.text ? -1 : 1,
  );
  const labels = rights
    .map((right, n) => `<response_label ident="r${n + 1}">${plainMaterial(right.text)}</response_label>`)
    .join('');
  const placeOf = (right: Prose) => rights.findIndex(({ html }) => html === right.html) + 1;
  return {
    responses: pairs.map(
      ([left], n) =>
        `<response_lid ident="response_${n + 1}">${material(left.html)}<render_choice>${labels}</render_choice></response_lid>`,
    ),
    conditions: pairs.map(
      ([, right], n) =>
        `<respcondition continue="Yes"><conditionvar><varequal respident="response_${n + 1}">r${placeOf(right)}</varequal></conditionvar><setvar varname="SCORE" action="Add">${(100 / pairs.length).toFixed(2)}</setvar></respcondition>`,
    ),
    feedback: [],
  };
}

function scored(test: string): string {
  return `<respcondition continue="No"><conditionvar>${test}</conditionvar><setvar action="Set" varname="SCORE">100</setvar></respcondition>`;
}
