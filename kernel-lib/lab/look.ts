/**
 * How the lab's outputs look: JupyterLab's own colours where there are any, so that they fit every
 * theme; plain light or dark ones, as the reader's system has it, elsewhere. What colours say is
 * said by words or signs, too.
 */

/**
 * Okabe and Ito's palette, which colour-blind readers can tell apart, without black (it would not
 * be seen in a dark theme) and with its yellow last (it is hardly seen in a light one).
 */
export const PALETTE = [
  '#56b4e9',
  '#e69f00',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#0072b2',
  '#999999',
  '#f0e442',
] as const;

/** The colours of who holds the hart, the same in every figure. */
export const HOLDER_COLOURS = {
  user: PALETTE[0],
  kernel: PALETTE[1],
  hypervisor: PALETTE[2],
  idle: PALETTE[6],
} as const;

const NAMES = `
.vmlab {
  --ink: var(--jp-content-font-color1, #1f2328);
  --faint: var(--jp-ui-font-color1, #4b535c);
  --paper: var(--jp-layout-color0, #ffffff);
  --shade: var(--jp-layout-color2, #eef0f3);
  --line: var(--jp-border-color1, #a9b0b8);
  --strong: var(--jp-brand-color1, #0b62c4);
  --right: var(--jp-success-color1, #2e7d32);
  --wrong: var(--jp-error-color1, #c62828);
  --code: var(--jp-code-font-family, monospace);
  color: var(--ink); line-height: 1.45; color-scheme: light;
}
@media (prefers-color-scheme: dark) {
  .vmlab {
    --ink: var(--jp-content-font-color1, #e6e8ea);
    --faint: var(--jp-ui-font-color1, #b9c0c7);
    --paper: var(--jp-layout-color0, #16181b);
    --shade: var(--jp-layout-color2, #2a2e33);
    --line: var(--jp-border-color1, #5c656e);
    --strong: var(--jp-brand-color1, #79b8ff);
    --right: var(--jp-success-color1, #66bb6a);
    --wrong: var(--jp-error-color1, #ef7773);
    color-scheme: dark;
  }
}
[data-jp-theme-light="true"] .vmlab { color-scheme: light; }
[data-jp-theme-light="false"] .vmlab { color-scheme: dark; }`;

/** The style that every output of the lab begins with. */
export const STYLE = `<style>${NAMES}
.vmlab [hidden] { display: none !important; }
.vmlab.vmlab-row { display: flex; flex-wrap: wrap; gap: 0 2em; align-items: flex-start; }
.vmlab table.vmlab-table { border-collapse: collapse; margin: 0.4em 0 0.8em 0; font-size: 0.92em; }
.vmlab table.vmlab-table caption { text-align: left; white-space: nowrap; font-weight: 600; padding: 0.2em 0; color: inherit; caption-side: top; }
.vmlab table.vmlab-table th, .vmlab table.vmlab-table td { text-align: left; vertical-align: top; padding: 0.1em 0.7em 0.1em 0; border: 0; white-space: pre-wrap; color: inherit; background: none; }
.vmlab table.vmlab-table thead th { border-bottom: 1px solid var(--line); font-weight: 600; }
.vmlab table.vmlab-table .vmlab-number { text-align: right; font-variant-numeric: tabular-nums; }
.vmlab table.vmlab-table .vmlab-differs { background: var(--shade); font-weight: 600; }
.vmlab code, .vmlab pre, .vmlab td { font-family: var(--code); }
.vmlab pre { white-space: pre-wrap; background: var(--shade); color: inherit; padding: 0.5em 0.8em; }
.vmlab.vmlab-verdict { border-left: 5px solid; padding: 0.1em 0.9em; max-width: 52em; }
.vmlab.vmlab-verdict[data-result=right] { border-color: var(--right); }
.vmlab.vmlab-verdict[data-result=wrong] { border-color: var(--wrong); }
.vmlab.vmlab-verdict[data-result=open] { border-color: var(--line); }
.vmlab summary { cursor: pointer; }
.vmlab .vmlab-asleep { font-style: italic; }
.vmlab .vmlab-button { font: inherit; color: var(--ink); background: var(--shade); border: 1px solid var(--line); border-radius: 4px; padding: 0.1em 0.7em; margin: 0 0.3em 0 0; cursor: pointer; }
.vmlab .vmlab-button:disabled { opacity: 0.5; cursor: default; }
.vmlab input:is([type=text], [type=search], [type=number]), .vmlab select { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 3px; padding: 0.1em 0.4em; max-width: 100%; }
.vmlab .vmlab-unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.vmlab :is(input, select, button, summary, [tabindex]):focus-visible { outline: 3px solid var(--strong); outline-offset: 2px; }
figure.vmlab { margin: 0.4em 0; }
</style>`;
