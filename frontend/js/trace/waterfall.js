// The waterfall: a row for each task, of which only those near the screen are there, so that a
// thousand cost no more than a dozen. The row with the focus stays.
import { find } from "../dom.js";
import { placesIn } from "../gallery/window.js";
import { createRow } from "./row.js";
import { ticksOf } from "./scale.js";
import { moved, revealing, whole, within, zoomed } from "./zoom.js";

/** @import { Bar, Row } from "./rows.js" */
/** @import { RowView } from "./row.js" */
/** @import { Part } from "./zoom.js" */

const ROW_PX = 30;
/** The bar that tells how a task ended. */
const LAST = Infinity;
const SPARE_ROWS = 6;
const PAGE_ROWS = 10;
const LEAST_MARK_PX = 90;
const NEARER = 1 / 2;

/** @param {string} className @param {number} part 0 to 1 @param {string} text */
function markAt(className, part, text) {
  const mark = document.createElement("span");
  mark.className = className;
  mark.textContent = text;
  mark.style.insetInlineStart = `${100 * part}%`;
  // Near the end there is room on its other side only.
  mark.toggleAttribute("data-late", part > 0.85);
  return mark;
}

/**
 * @param {object} options
 * @param {HTMLElement} options.element
 * @param {(row: Row, bar: Bar) => void} options.onPoint
 */
export function createWaterfall({ element, onPoint }) {
  const controller = new AbortController();
  const { signal } = controller;
  const view = find(element, "#view", HTMLElement);
  const grid = find(element, "#rows", HTMLElement);
  const scale = find(element, "#scale", HTMLElement);
  const lines = find(element, "#marks", HTMLElement);
  const near = find(element, "#nearer", HTMLButtonElement);
  const away = find(element, "#farther", HTMLButtonElement);
  const fit = find(element, "#fit", HTMLButtonElement);
  /** @type {readonly Row[]} */
  let rows = [];
  let length_ms = 1;
  let part = whole(length_ms);
  /** @type {{ name: string, at_ms: number }[]} */
  let marks = [];
  /** Where the keyboard is: by key, for rows come in between. */
  let current = { key: "", bar: 0 };
  /** @type {Map<string, RowView>} */
  const there = new Map();

  const placeOf = (/** @type {string} */ key) =>
    rows.findIndex((row) => row.key === key);

  function draw() {
    const { first, last } = placesIn({
      count: rows.length,
      columns: 1,
      row: ROW_PX,
      top: view.scrollTop,
      height: view.clientHeight,
      spare: SPARE_ROWS,
    });
    const wanted = new Set([placeOf(current.key)]);
    for (let i = first; i <= last; i += 1) wanted.add(i);
    const keys = new Set([...wanted].map((i) => rows[i]?.key));
    for (const [key, row] of there)
      if (!keys.has(key)) {
        row.element.remove();
        there.delete(key);
      }
    for (const i of [...wanted].sort((a, b) => a - b)) drawRow(i);
  }

  /** @param {number} i */
  function drawRow(i) {
    const row = rows[i];
    if (!row) return;
    const shown = there.get(row.key) ?? createRow();
    there.set(row.key, shown);
    if (!shown.element.isConnected) grid.append(shown.element);
    shown.show(row, {
      place: i,
      top_px: i * ROW_PX,
      part,
      current: row.key === current.key ? current.bar : null,
    });
  }

  const shareOf = (/** @type {number} */ ms) =>
    (ms - part.from_ms) / (part.to_ms - part.from_ms);

  function drawScale() {
    const most = Math.max(2, Math.floor(scale.clientWidth / LEAST_MARK_PX));
    scale.replaceChildren(
      ...ticksOf(part, most).map(({ at_ms, text }) =>
        markAt("tick", shareOf(at_ms), text),
      ),
    );
    lines.replaceChildren(
      ...marks.map(({ name, at_ms }, i) => {
        const mark = markAt("falls__mark", shareOf(at_ms), name);
        mark.hidden = at_ms < part.from_ms || at_ms > part.to_ms;
        // Two that lie close to each other are still read.
        mark.style.setProperty("--turn", String(i % 3));
        return mark;
      }),
    );
  }

  /** @param {Part} next */
  function look(next) {
    if (next.from_ms === part.from_ms && next.to_ms === part.to_ms) return;
    part = next;
    drawScale();
    draw();
    const all = part.to_ms - part.from_ms >= length_ms;
    fit.disabled = away.disabled = all;
  }

  /** @param {number} factor below 1: nearer */
  function zoom(factor) {
    const bar = rows[placeOf(current.key)]?.bars[current.bar];
    const middle = (part.from_ms + part.to_ms) / 2;
    const at = bar ? (bar.from_ms + bar.to_ms) / 2 : middle;
    const seen = at >= part.from_ms && at <= part.to_ms;
    look(zoomed(part, length_ms, factor, seen ? at : middle));
  }

  /** @param {WheelEvent} event sideways: along the time */
  function onWheel(event) {
    const by = event.shiftKey ? event.deltaY : event.deltaX;
    if (by === 0 || part.to_ms - part.from_ms >= length_ms) return;
    event.preventDefault();
    const ms_per_px = (part.to_ms - part.from_ms) / scale.clientWidth;
    look(moved(part, length_ms, by * ms_per_px));
  }

  /** @param {number} place @param {number} bar */
  function go(place, bar) {
    const row = rows[Math.max(0, Math.min(place, rows.length - 1))];
    if (!row) return;
    const at = placeOf(row.key) * ROW_PX;
    current = {
      key: row.key,
      bar: Math.max(0, Math.min(bar, row.bars.length - 1)),
    };
    const wanted = row.bars[current.bar];
    if (wanted) look(revealing(part, length_ms, wanted));
    const below = at + ROW_PX - view.clientHeight;
    if (view.scrollTop > at) view.scrollTop = at;
    else if (view.scrollTop < below) view.scrollTop = below;
    draw();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const here = placeOf(current.key);
    /** @type {Record<string, [number, number]>} */
    const moves = {
      ArrowDown: [here + 1, LAST],
      ArrowUp: [here - 1, LAST],
      ArrowRight: [here, current.bar + 1],
      ArrowLeft: [here, current.bar - 1],
      PageDown: [here + PAGE_ROWS, LAST],
      PageUp: [here - PAGE_ROWS, LAST],
      Home: [0, LAST],
      End: [rows.length - 1, LAST],
    };
    const factor = { "+": NEARER, "-": 1 / NEARER }[event.key];
    if (factor) zoom(factor);
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    go(...move);
    there.get(current.key)?.focus(current.bar);
  }

  /** @param {Event} event */
  function onTarget({ target, type }) {
    for (const row of there.values()) {
      const hit = row.barAt(target);
      if (!hit) continue;
      onPoint(hit.row, hit.bar);
      if (type === "pointerover") return;
      current = { key: hit.row.key, bar: hit.i };
      draw();
    }
  }

  near.addEventListener("click", () => zoom(NEARER), { signal });
  away.addEventListener("click", () => zoom(1 / NEARER), { signal });
  fit.addEventListener("click", () => look(whole(length_ms)), { signal });
  view.addEventListener("wheel", onWheel, { signal, passive: false });
  grid.addEventListener("keydown", onKey, { signal });
  grid.addEventListener("focusin", onTarget, { signal });
  grid.addEventListener("pointerover", onTarget, { signal });
  view.addEventListener("scroll", draw, { signal, passive: true });
  const resized = new ResizeObserver(() => {
    drawScale();
    draw();
  });
  resized.observe(view);

  return {
    element,
    /**
     * @param {readonly Row[]} now
     * @param {{ length_ms: number, marks: { name: string, at_ms: number }[] }} time
     */
    show(now, time) {
      rows = now;
      // Who looks at all of it goes on doing so as it grows.
      const all = part.to_ms - part.from_ms >= length_ms;
      length_ms = time.length_ms;
      part = all ? whole(length_ms) : within(part, length_ms);
      marks = time.marks;
      if (placeOf(current.key) < 0)
        current = { key: rows[0]?.key ?? "", bar: 0 };
      grid.hidden = rows.length === 0;
      grid.setAttribute("aria-rowcount", String(rows.length));
      grid.style.blockSize = `${rows.length * ROW_PX}px`;
      drawScale();
      draw();
    },
    /** @param {string} key of the row to begin at; its last bar is told */
    start(key) {
      const place = placeOf(key);
      const row = rows[place];
      const bar = row?.bars.at(-1);
      if (!row || !bar) return;
      go(place, row.bars.length - 1);
      onPoint(row, bar);
    },
    destroy() {
      controller.abort();
      resized.disconnect();
    },
  };
}
