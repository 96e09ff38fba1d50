/** Quiz files for the tests: one right one with every kind of question, to be read or to be broken. */

/** Every kind of question, each line where the tests expect it. */
export const EVERY_KIND = `---
title: Every kind
lesson: 03
---

### One is right?
> A first hint.

> A second hint.

1. [ ] no
   > Not \`this\`.
2. [x] yes
   > Indeed.
3. [ ] neither
<!-- S0 Q2 -->

### Several are right?
- [x] first
  > True of the first.
- [ ] second
  > False of the second.
- [x] third
<!-- S1-09 -->

### A number?
\`\`\`
csrr a0, sstatus
\`\`\`

= 1.41 +- 0.01

Because it is so.
<!-- S2-03 -->

### A word?

[[translation cache]] [[Code  Cache]]
<!-- S0-05 -->

### Pairs?

| this | that |
|---|---|
| \`a\` | one |
| b | two |
| c | one |
<!-- S1-08 -->

### In order? <!-- S1-08 -->

1. alpha
2. beta
3. gamma
`;

/** A file with only this question. Its heading stands in line 5. */
export function fileWith(question: string): string {
  return `---\ntitle: One\nlesson: 03\n---\n${question}`;
}
