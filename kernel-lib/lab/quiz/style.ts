/**
 * How a quiz looks. JupyterLab's own colours where there are any, so that it fits every theme; plain
 * light or dark ones, as the reader's system has it, elsewhere. Right and wrong are told by words and
 * signs too, never by colour alone.
 */

export const STYLE = `
.vmlab-quiz {
  --ink: var(--jp-ui-font-color1, #1f2328);
  --faint: var(--jp-ui-font-color1, #4b535c);
  --paper: var(--jp-layout-color0, #ffffff);
  --shade: var(--jp-layout-color2, #eef0f3);
  --line: var(--jp-border-color1, #a9b0b8);
  --strong: var(--jp-brand-color1, #0b62c4);
  --right: var(--jp-success-color1, #2e7d32);
  --wrong: var(--jp-error-color1, #c62828);
  color: var(--ink); background: var(--paper); color-scheme: light;
  font-family: var(--jp-content-font-family, system-ui, sans-serif);
  font-size: var(--jp-content-font-size1, 1rem); line-height: 1.5; max-width: 46em; padding: 2px;
}
@media (prefers-color-scheme: dark) {
  .vmlab-quiz {
    --ink: var(--jp-ui-font-color1, #e6e8ea);
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
[data-jp-theme-light="true"] .vmlab-quiz { color-scheme: light; }
[data-jp-theme-light="false"] .vmlab-quiz { color-scheme: dark; }
.vmlab-quiz [hidden] { display: none !important; }
.vmlab-quiz p { margin: 0.3em 0; }
.vmlab-quiz .vmlab-title { font-size: 1.25em; font-weight: 600; }
.vmlab-quiz .vmlab-asleep { font-style: italic; }
.vmlab-quiz .vmlab-question { border: 1px solid var(--line); border-radius: 6px; margin: 0.8em 0; padding: 0.4em 1em 0.8em; min-width: 0; }
.vmlab-quiz .vmlab-question[data-result=right] { border-left: 5px solid var(--right); }
.vmlab-quiz .vmlab-question[data-result=wrong] { border-left: 5px solid var(--wrong); }
.vmlab-quiz legend { color: var(--ink); font-size: 1em; font-weight: 600; padding: 0.3em 0; margin: 0; border: 0; float: left; width: 100%; }
.vmlab-quiz legend + * { clear: both; }
.vmlab-quiz pre { background: var(--shade); color: var(--ink); padding: 0.5em 0.8em; overflow-x: auto; margin: 0.4em 0; }
.vmlab-quiz code { background: var(--shade); color: var(--ink); padding: 0 0.2em; font-family: var(--jp-code-font-family, monospace); font-size: 0.93em; }
.vmlab-quiz .vmlab-rows { list-style: none; margin: 0.4em 0; padding: 0; }
.vmlab-quiz .vmlab-row { margin: 0.15em 0; padding: 0.1em 0.4em; border-left: 3px solid transparent; }
.vmlab-quiz .vmlab-row[data-result=right] { border-left-color: var(--right); }
.vmlab-quiz .vmlab-row[data-result=wrong] { border-left-color: var(--wrong); }
.vmlab-quiz label.vmlab-option { display: flex; gap: 0.6em; align-items: baseline; cursor: pointer; padding: 0.1em 0; }
.vmlab-quiz label.vmlab-pair { display: grid; grid-template-columns: minmax(8em, 1fr) minmax(8em, 2fr); gap: 0.8em; align-items: center; }
.vmlab-quiz .vmlab-sort > .vmlab-row { display: grid; grid-template-columns: 1.6em auto 1fr; gap: 0 0.6em; align-items: center; counter-increment: vmlab-place; }
.vmlab-quiz ul.vmlab-rows.vmlab-sort { counter-reset: vmlab-place; padding: 0; }
.vmlab-quiz .vmlab-sort > .vmlab-row::before { content: counter(vmlab-place) '.'; }
.vmlab-quiz .vmlab-sort .vmlab-movers { grid-column: 2; grid-row: 1; }
.vmlab-quiz .vmlab-sort .vmlab-item { grid-column: 3; grid-row: 1; }
.vmlab-quiz .vmlab-sort .vmlab-feedback { grid-column: 3; }
.vmlab-quiz .vmlab-sort .vmlab-button { padding: 0 0.45em; margin: 0 0.1em; font-size: 0.8em; }
.vmlab-quiz label.vmlab-option + .vmlab-feedback { margin-left: 1.8em; }
.vmlab-quiz .vmlab-feedback p, .vmlab-quiz .vmlab-verdict p { display: inline; margin: 0; }
.vmlab-quiz .vmlab-feedback p + p, .vmlab-quiz .vmlab-verdict p + p { display: block; margin-top: 0.3em; }
.vmlab-quiz input[type=text] { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 3px; padding: 0.2em 0.4em; max-width: 100%; }
.vmlab-quiz select { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 3px; padding: 0.2em; min-width: 0; width: 100%; }
.vmlab-quiz .vmlab-hint { margin: 0.3em 0; }
.vmlab-quiz .vmlab-hint summary { cursor: pointer; color: var(--faint); }
.vmlab-quiz .vmlab-actions { margin-top: 0.6em; }
.vmlab-quiz .vmlab-button { font: inherit; color: var(--ink); background: var(--shade); border: 1px solid var(--line); border-radius: 4px; padding: 0.15em 0.9em; margin: 0 0.5em 0 0; cursor: pointer; }
.vmlab-quiz .vmlab-button:disabled { opacity: 0.4; cursor: default; }
.vmlab-quiz .vmlab-verdict { margin-top: 0.4em; }
.vmlab-quiz .vmlab-score { font-weight: 600; margin: 0.6em 0; }
.vmlab-quiz .vmlab-unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.vmlab-quiz :is(input, select, button, summary):focus-visible { outline: 3px solid var(--strong); outline-offset: 2px; }
`;
