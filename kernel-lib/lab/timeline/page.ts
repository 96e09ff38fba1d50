/**
 * The timeline in the reader's browser: the list of steps, the buttons, the filter, the state.
 *
 * However many steps there are, the page has a dozen rows, which are filled anew as one goes. The
 * state is kept for one step only, the current one; going to another applies the changes in between
 * forward or backward. Functions here are sent as text: see `in-page.ts`.
 */
import type { Page, Part, PartEvent } from '../in-page';
import type { PackedRun } from './encode';

/** What the page is given. */
export interface TimelineData {
  run: PackedRun;
  /** The step to open at, from 0. */
  at: number;
  /** A colour per holder. */
  colours: string[];
}

/** The steps, a typed array per column. Those of changes are found through `firstChange`. */
export interface Columns {
  holder: Uint8Array;
  pc: Int32Array;
  text: Uint32Array;
  real: Uint32Array;
  virtual: Uint32Array;
  trap: Uint32Array;
  cycles: Float64Array;
  firstChange: Uint32Array;
  place: number[];
  before: number[];
  after: number[];
}

/** A timeline at work. */
interface View {
  page: Page;
  root: Part;
  data: TimelineData;
  columns: Columns;
  /** The steps that the filter lets through. */
  shown: number[];
  /** The current step, and the values of all places after it. */
  at: number;
  values: number[];
  /** The first row that is shown, as an index into `shown`. */
  top: number;
  rows: { row: Part; cells: Map<string, Part> }[];
  parts: Record<string, Part>;
  isPlaying: boolean;
  stop: () => void;
}

/** Brings the timeline in `root` to life. */
export function startTimeline(page: Page, root: Part, data: TimelineData): void {
  for (const part of root.querySelectorAll('.vmlab-asleep, .vmlab-static')) part.remove();
  const columns = unpackRun(data.run, atob(data.run.bytes));
  const view: View = {
    page,
    root,
    data,
    columns,
    shown: [],
    at: -1,
    values: [...data.run.start],
    top: 0,
    rows: [],
    parts: {},
    isPlaying: false,
    stop: () => {},
  };
  buildBar(view);
  buildFilter(view);
  buildStrip(view);
  buildList(view);
  buildState(view);
  page.keepShortcutsAway(root);
  root.addEventListener('keydown', (event) => onKey(view, event));
  applyFilter(view);
  goTo(view, Math.max(0, Math.min(data.at, data.run.count - 1)));
}

/** The columns of a run; `text` is the base64 decoded, a byte per character. */
export function unpackRun(run: PackedRun, text: string): Columns {
  const { count } = run;
  let at = 0;
  const take = () => {
    let value = 0;
    for (let unit = 1; ; unit *= 0x80) {
      const byte = text.charCodeAt(at++);
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
    }
  };
  const takeDifference = () => {
    const value = take();
    return (value >>> 1) ^ -(value & 1);
  };
  const columns: Columns = {
    holder: new Uint8Array(count),
    pc: new Int32Array(count),
    text: new Uint32Array(count),
    real: new Uint32Array(count),
    virtual: new Uint32Array(count),
    trap: new Uint32Array(count),
    cycles: new Float64Array(count),
    firstChange: new Uint32Array(count + 1),
    place: [],
    before: [],
    after: [],
  };
  const values = [...run.start];
  for (let step = 0; step < count; step++) {
    columns.holder[step] = take();
    columns.pc[step] = (step > 0 ? columns.pc[step - 1] : 0) + takeDifference();
    columns.text[step] = take();
    columns.real[step] = take();
    columns.virtual[step] = take();
    columns.trap[step] = take();
    columns.cycles[step] = (step > 0 ? columns.cycles[step - 1] : run.startCycles) + take();
    columns.firstChange[step] = columns.place.length;
    for (let left = take(); left > 0; left--) {
      const place = take();
      columns.place.push(place);
      columns.before.push(values[place]);
      values[place] = (values[place] + takeDifference()) | 0;
      columns.after.push(values[place]);
    }
  }
  columns.firstChange[count] = columns.place.length;
  return columns;
}

function buildBar(view: View): void {
  const { page, root, parts } = view;
  const bar = page.add(root, 'div', 'vmlab-bar');
  bar.setAttribute('role', 'group');
  bar.setAttribute('aria-label', 'Go through the run');
  const add = (name: string, text: string, label: string, act: () => void) => {
    parts[name] = page.button(bar, text, label);
    parts[name].setAttribute('title', label);
    parts[name].addEventListener('click', () => {
      if (name !== 'play') pause(view);
      act();
    });
  };
  add('first', '|◀', 'First step (Home)', () => moveTo(view, 0));
  add('trapBack', '⇤ trap', 'Previous trap (Shift+T)', () => toTrap(view, -1));
  add('back', '◀', 'One step back (left arrow)', () => move(view, -1));
  add('play', '▶ play', 'Play (P)', () => togglePlay(view));
  add('forward', '▶', 'One step forward (right arrow)', () => move(view, 1));
  add('trapNext', 'trap ⇥', 'Next trap (T)', () => toTrap(view, 1));
  add('last', '▶|', 'Last step (End)', () => moveTo(view, view.shown.length - 1));
  const speed = page.add(bar, 'select', '');
  speed.setAttribute('aria-label', 'Speed of playing');
  for (const [rate, text] of [
    [2, '2 steps a second'],
    [10, '10 steps a second'],
    [50, '50 steps a second'],
  ]) {
    page.add(speed, 'option', '', `${text}`).value = `${rate}`;
  }
  speed.value = '10';
  speed.addEventListener('change', () => {
    if (view.isPlaying) play(view);
  });
  parts.speed = speed;
  parts.where = page.add(bar, 'span', 'vmlab-where');
}

function buildFilter(view: View): void {
  const { page, root, parts, data } = view;
  const filter = page.add(root, 'div', 'vmlab-bar');
  filter.setAttribute('role', 'group');
  filter.setAttribute('aria-label', 'Show only');
  data.run.holders.forEach((holder, index) => {
    const label = page.add(filter, 'label', '');
    const box = page.add(label, 'input', 'vmlab-holder');
    box.type = 'checkbox';
    box.checked = true;
    const swatch = page.add(label, 'span', 'vmlab-swatch');
    swatch.style.background = data.colours[index];
    label.append(holder);
  });
  const label = page.add(filter, 'label', '');
  parts.traps = page.add(label, 'input', '');
  parts.traps.type = 'checkbox';
  label.append('traps only');
  const search = page.add(filter, 'label', '', 'instruction has ');
  parts.search = page.add(search, 'input', '');
  parts.search.type = 'search';
  parts.search.setAttribute('size', '12');
  parts.search.setAttribute('placeholder', 'csr');
  parts.found = page.add(filter, 'span', 'vmlab-where');
  filter.addEventListener('input', () => {
    pause(view);
    applyFilter(view);
    goTo(view, view.at);
  });
}

/** The whole run at a glance: a lane per holder, a mark below for each trap; click to go there. */
function buildStrip(view: View): void {
  const { page, root, parts, data } = view;
  const strip = page.add(root, 'div', 'vmlab-strip');
  const canvas = page.add(strip, 'canvas', '');
  canvas.setAttribute('aria-hidden', 'true');
  canvas.width = 800;
  canvas.height = 12 * data.run.holders.length + 8;
  parts.cursor = page.add(strip, 'div', 'vmlab-cursor');
  strip.addEventListener('click', (event) => {
    if (event.target !== canvas) return;
    pause(view);
    goTo(view, Math.floor((event.offsetX / Math.max(1, canvas.clientWidth)) * data.run.count));
  });
  const drawing = canvas.getContext('2d');
  if (drawing !== null) drawStrip(view, drawing, canvas.width, canvas.height);
  const slider = page.add(root, 'input', 'vmlab-slider');
  slider.type = 'range';
  slider.min = '0';
  slider.setAttribute('aria-label', 'Step');
  slider.addEventListener('input', () => {
    pause(view);
    moveTo(view, Number(slider.value));
  });
  parts.slider = slider;
}

function drawStrip(
  view: View,
  drawing: NonNullable<ReturnType<Part['getContext']>>,
  width: number,
  height: number,
): void {
  const { columns, data } = view;
  const { count } = data.run;
  for (let step = 0; step < count; step++) {
    const x = Math.floor((step / count) * width);
    const wide = Math.max(1, Math.ceil(width / count));
    drawing.fillStyle = data.colours[columns.holder[step]];
    drawing.fillRect(x, 12 * columns.holder[step], wide, 10);
    if (data.run.texts[columns.trap[step]] === '') continue;
    drawing.fillStyle = '#888888';
    drawing.fillRect(x, height - 6, Math.max(1, Math.min(2, wide)), 6);
  }
}

function buildList(view: View): void {
  const { page, root, parts } = view;
  const wide = page.add(root, 'div', 'vmlab-wide');
  wide.setAttribute('role', 'group');
  wide.setAttribute('aria-label', 'Steps');
  wide.setAttribute('tabindex', '0');
  const table = page.add(wide, 'table', 'vmlab-steps');
  const head = page.add(page.add(table, 'thead', ''), 'tr', '');
  const titles = ['step', 'who', 'real', 'virtual', 'pc', 'instruction', 'changes', 'cycles'];
  const { texts } = view.data.run;
  const hasGuest = view.columns.virtual.some((index) => texts[index] !== '');
  const columns = titles.filter((title) => title !== 'virtual' || hasGuest);
  for (const title of columns) page.add(head, 'th', `vmlab-${title}`, title).setAttribute('scope', 'col');
  const body = page.add(table, 'tbody', '');
  const VISIBLE_ROWS = 11;
  for (let n = 0; n < VISIBLE_ROWS; n++) {
    const row = page.add(body, 'tr', '');
    row.addEventListener('click', () => {
      pause(view);
      moveTo(view, view.top + n);
    });
    view.rows.push({ row, cells: new Map(columns.map((title) => [title, page.add(row, 'td', '')])) });
  }
  parts.empty = page.add(root, 'p', '', 'No step passes the filter.');
}

function buildState(view: View): void {
  const { page, root, parts } = view;
  parts.told = page.add(root, 'p', 'vmlab-told');
  parts.told.setAttribute('role', 'status');
  parts.state = page.add(root, 'details', '');
  page.add(parts.state, 'summary', '', 'All registers after this step');
  parts.registers = page.add(parts.state, 'div', 'vmlab-registers');
  parts.state.addEventListener('toggle', () => showRegisters(view));
  page.add(root, 'p', 'vmlab-ending', view.data.run.ending);
}

function applyFilter(view: View): void {
  const { columns, data, parts } = view;
  const { texts, count } = data.run;
  const boxes = [...view.root.querySelectorAll('.vmlab-holder')].map((box) => box.checked);
  const wanted = parts.search.value.trim().toLowerCase();
  const fits = texts.map((text) => text.toLowerCase().includes(wanted));
  const isTrap = texts.map((text) => text !== '');
  const shown: number[] = [];
  for (let step = 0; step < count; step++) {
    const isWanted = boxes[columns.holder[step]] && fits[columns.text[step]];
    if (isWanted && (!parts.traps.checked || isTrap[columns.trap[step]])) shown.push(step);
  }
  view.shown = shown;
  view.top = 0;
  parts.slider.max = String(Math.max(0, shown.length - 1));
  const all = count.toLocaleString('en-GB');
  parts.found.textContent =
    shown.length === count ? '' : `${shown.length.toLocaleString('en-GB')} of ${all} steps`;
}

/** The place in `shown` of the first step that is not before `step`. */
function placeOf(view: View, step: number): number {
  let low = 0;
  let high = view.shown.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (view.shown[middle] < step) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Goes to a place among the steps shown. */
function moveTo(view: View, place: number): void {
  if (view.shown.length === 0) return;
  const step = view.shown[Math.max(0, Math.min(place, view.shown.length - 1))];
  goTo(view, step);
}

function move(view: View, by: number): void {
  const place = placeOf(view, view.at);
  // Where the current step itself is filtered out, the next one stands already at its place.
  const isShown = view.shown[place] === view.at;
  moveTo(view, by > 0 && !isShown ? place + by - 1 : place + by);
}

function toTrap(view: View, way: number): void {
  const { columns, data, shown } = view;
  const start = placeOf(view, view.at);
  const isShown = shown[start] === view.at;
  for (
    let place = way > 0 && !isShown ? start : start + way;
    place >= 0 && place < shown.length;
    place += way
  ) {
    if (data.run.texts[columns.trap[shown[place]]] === '') continue;
    goTo(view, shown[place]);
    return;
  }
  view.parts.told.textContent = way > 0 ? 'No trap after this step.' : 'No trap before this step.';
}

function togglePlay(view: View): void {
  if (view.isPlaying) pause(view);
  else play(view);
}

function play(view: View): void {
  view.stop();
  view.isPlaying = true;
  view.parts.play.textContent = '‖ pause';
  view.parts.play.setAttribute('aria-label', 'Pause (P)');
  view.stop = view.page.every(1000 / Number(view.parts.speed.value), () => {
    const isLast = view.shown.length === 0 || view.at >= view.shown[view.shown.length - 1];
    if (isLast || !view.root.isConnected) pause(view);
    else move(view, 1);
  });
}

function pause(view: View): void {
  if (!view.isPlaying) return;
  view.stop();
  view.isPlaying = false;
  view.parts.play.textContent = '▶ play';
  view.parts.play.setAttribute('aria-label', 'Play (P)');
  goTo(view, view.at);
}

function onKey(view: View, event: PartEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches('input[type=search], select')) return;
  const places: Record<string, number> = {
    ArrowRight: 1,
    ArrowDown: 1,
    ArrowLeft: -1,
    ArrowUp: -1,
    PageDown: 10,
    PageUp: -10,
  };
  const { key } = event;
  if (places[key] !== undefined) {
    pause(view);
    move(view, places[key]);
  } else if (key === 'Home' || key === 'End') {
    pause(view);
    moveTo(view, key === 'Home' ? 0 : view.shown.length - 1);
  } else if (key === 't' || key === 'T') {
    pause(view);
    toTrap(view, event.shiftKey ? -1 : 1);
  } else if (key === 'p') togglePlay(view);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Makes a step the current one, and shows it. */
function goTo(view: View, wanted: number): void {
  const { columns, data } = view;
  if (data.run.count === 0) {
    view.parts.told.textContent = 'Nothing was recorded.';
    return;
  }
  const step = Math.max(0, Math.min(wanted, data.run.count - 1));
  while (view.at < step) {
    view.at++;
    for (let n = columns.firstChange[view.at]; n < columns.firstChange[view.at + 1]; n++)
      view.values[columns.place[n]] = columns.after[n];
  }
  for (; view.at > step; view.at--) {
    for (let n = columns.firstChange[view.at]; n < columns.firstChange[view.at + 1]; n++)
      view.values[columns.place[n]] = columns.before[n];
  }
  showList(view);
  showStep(view);
  showRegisters(view);
}

function hexOf(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}

function showList(view: View): void {
  const { shown, rows, parts } = view;
  const place = placeOf(view, view.at);
  if (place < view.top || place >= view.top + rows.length) view.top = place - Math.floor(rows.length / 2);
  view.top = Math.max(0, Math.min(view.top, shown.length - rows.length));
  rows.forEach(({ row, cells }, n) => {
    const step = shown[view.top + n];
    row.hidden = step === undefined;
    if (step === undefined) return;
    const texts = cellsOf(view, step);
    for (const [title, cell] of cells) if (cell.textContent !== texts[title]) cell.textContent = texts[title];
    row.style.borderLeftColor = view.data.colours[view.columns.holder[step]];
    row.dataset.trap = view.data.run.texts[view.columns.trap[step]] === '' ? '' : 'yes';
    if (step === view.at) row.setAttribute('aria-current', 'step');
    else row.removeAttribute('aria-current');
  });
  parts.empty.hidden = shown.length > 0;
  parts.slider.disabled = shown.length === 0;
  parts.slider.value = String(place);
}

function cellsOf(view: View, step: number): Record<string, string> {
  const { columns, data } = view;
  const { texts, holders } = data.run;
  const trap = texts[columns.trap[step]];
  const before = step > 0 ? columns.cycles[step - 1] : data.run.startCycles;
  return {
    step: (step + 1).toLocaleString('en-GB'),
    who: holders[columns.holder[step]],
    real: texts[columns.real[step]],
    virtual: texts[columns.virtual[step]],
    pc: hexOf(columns.pc[step]),
    instruction: texts[columns.text[step]] + (trap === '' ? '' : `  ⚡ ${trap}`),
    changes: changesOf(view, step, 3).join(', '),
    cycles: `+${(columns.cycles[step] - before).toLocaleString('en-GB')}`,
  };
}

/** What a step changed, the first `most` of it: `a0 = 0x00000001`. */
function changesOf(view: View, step: number, most: number): string[] {
  const { columns, data } = view;
  const first = columns.firstChange[step];
  const count = columns.firstChange[step + 1] - first;
  const told: string[] = [];
  for (let n = first; n < first + Math.min(count, most); n++)
    told.push(`${data.run.places[columns.place[n]]} = ${hexOf(columns.after[n])}`);
  if (count > most) told.push(`${count - most} more`);
  return told;
}

/** Tells the current step in words; while playing, only where it is. */
function showStep(view: View): void {
  const { columns, data, parts, at } = view;
  const { texts, holders, count } = data.run;
  const total = columns.cycles[at].toLocaleString('en-GB');
  const where = `step ${(at + 1).toLocaleString('en-GB')} of ${count.toLocaleString('en-GB')}`;
  parts.where.textContent = `${where} · ${total} cycles`;
  parts.cursor.style.left = `${((at + 0.5) / count) * 100}%`;
  parts.slider.setAttribute('aria-valuetext', `${where}: ${texts[columns.text[at]]}`);
  if (view.isPlaying) return;
  const virtual = texts[columns.virtual[at]];
  const modes = `real mode ${texts[columns.real[at]]}${virtual === '' ? '' : `, virtual mode ${virtual}`}`;
  const trap = texts[columns.trap[at]];
  const first = columns.firstChange[at];
  const changes: string[] = [];
  for (let n = first; n < columns.firstChange[at + 1]; n++)
    changes.push(
      `${data.run.places[columns.place[n]]}: ${hexOf(columns.before[n])} → ${hexOf(columns.after[n])}`,
    );
  const changed = changes.length > 0 ? ` Changes ${changes.join(', ')}.` : ' Changes no register.';
  const trapped = trap === '' ? '' : ` Traps: ${trap}.`;
  parts.told.textContent = `${holders[columns.holder[at]]} at ${hexOf(columns.pc[at])}: ${texts[columns.text[at]]} (${modes}).${trapped}${changed}`;
}

function showRegisters(view: View): void {
  const { page, parts, columns, data, at, values } = view;
  if (!parts.state.open || at < 0) return;
  const changed: boolean[] = [];
  for (let n = columns.firstChange[at]; n < columns.firstChange[at + 1]; n++)
    changed[columns.place[n]] = true;
  parts.registers.replaceChildren();
  data.run.places.forEach((name, place) => {
    const part = page.add(parts.registers, 'div', changed[place] ? 'vmlab-changed' : '');
    page.add(part, 'span', '', `${changed[place] ? '● ' : ''}${name}`);
    page.add(part, 'span', '', hexOf(values[place]));
  });
}

/** The functions that `startTimeline` needs in the page. */
export const TIMELINE_FUNCTIONS = [
  unpackRun,
  buildBar,
  buildFilter,
  buildStrip,
  drawStrip,
  buildList,
  buildState,
  applyFilter,
  placeOf,
  moveTo,
  move,
  toTrap,
  togglePlay,
  play,
  pause,
  onKey,
  goTo,
  hexOf,
  showList,
  cellsOf,
  changesOf,
  showStep,
  showRegisters,
];
