/**
 * `import { display } from 'tslab'`, for notebooks that were written for tslab: its documented display functions, over
 * the kernel's own display.
 */
import type { MimeBundle } from '../messages';

/** What shows a bundle; set by the kernel's face. */
export const sink: { show: (data: MimeBundle) => void } = { show: () => undefined };

const as =
  (type: string) =>
  (content: string | Uint8Array): void =>
    sink.show({ [type]: typeof content === 'string' ? content : Buffer.from(content).toString('base64') });

/** tslab's module, as far as it shows things. */
export const tslab = {
  display: {
    html: as('text/html'),
    javascript: as('text/javascript'),
    markdown: as('text/markdown'),
    text: as('text/plain'),
    svg: as('image/svg+xml'),
    png: as('image/png'),
    jpeg: as('image/jpeg'),
    gif: as('image/gif'),
    pdf: as('application/pdf'),
    raw: (type: string, content: string | Uint8Array): void => as(type)(content),
  },
};
