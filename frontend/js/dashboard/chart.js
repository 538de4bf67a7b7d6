// A chart with its words: title, summary, key, the canvas, and the same as a table.
import { find, say, stamp } from "../dom.js";
import { createPlot, when } from "./plot.js";
import { coarser, shares } from "./steps.js";

/** @import { Palette } from "./palette.js" */
/** @import { Drawing, Line } from "./plot.js" */

/** @typedef {ReturnType<typeof createChart>} Chart */

/** More columns than that are none any more. */
const MOST_STEPS = 96;

/** @param {Line[]} lines */
const isBare = (lines) =>
  lines.every(({ values, among = values }) => among.every((value) => !value));

/** @param {string} text @param {"th" | "td"} [kind] */
function cell(text, kind = "td") {
  const element = document.createElement(kind);
  element.textContent = text;
  return element;
}

/**
 * @param {Drawing} drawing
 * @param {(value: number) => string} words
 */
function tableOf({ at, step_s, lines }, words) {
  const span_s = step_s * at.length;
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  head.append(
    ...["From", ...lines.map(({ name }) => name)].map((name) =>
      cell(name, "th"),
    ),
  );
  const body = table.createTBody();
  // Newest first: it is what one opens the table for.
  for (const [i, s] of [...at.entries()].reverse()) {
    const texts = lines.map(({ values }) =>
      values[i] == null ? "–" : words(values[i]),
    );
    body
      .insertRow()
      .append(cell(when(s, span_s), "th"), ...texts.map((text) => cell(text)));
  }
  return table;
}

/**
 * @param {object} options
 * @param {string} options.title
 * @param {boolean} [options.bars] stacked bars; otherwise lines
 * @param {boolean} options.whole there is nothing between two whole numbers
 * @param {Palette} options.palette
 * @param {(value: number) => string} options.words of a value
 */
export function createChart({ title, bars = false, whole, palette, words }) {
  const element = stamp("chart");
  const summary = find(element, ".chart__summary", HTMLElement);
  const area = find(element, ".chart__plot", HTMLElement);
  const keys = find(element, ".chart__keys", HTMLElement);
  const moment = find(element, ".chart__moment", HTMLElement);
  const table = find(element, ".chart__table", HTMLDetailsElement);
  const scroll = find(element, ".chart__scroll", HTMLElement);
  say(find(element, ".chart__title", HTMLElement), title);
  scroll.setAttribute("aria-label", `${title}, as a table`);
  area.setAttribute("role", "img");
  /** @type {Drawing | null} */
  let shown = null;
  const plot = createPlot({
    element: area,
    bars,
    whole,
    palette,
    words,
    onPoint,
  });

  /** @param {number | null} index of a step; null: now, and what happened in the newest */
  function onPoint(index) {
    if (!shown) return;
    const { at, step_s, lines } = shown;
    const place = index ?? at.length - 1;
    const time = when(at[place] ?? 0, step_s * at.length);
    const isNow = index === null && lines.some(({ now }) => now !== undefined);
    say(moment, index !== null ? time : isNow ? "Now:" : `Since ${time}:`);
    for (const [i, { values, now }] of lines.entries()) {
      const value = isNow && now !== undefined ? now : values[place];
      const since = isNow && now === undefined ? ` since ${time}` : "";
      const key = keys.children[i];
      if (key)
        find(key, ".key__value", HTMLElement).textContent =
          value == null ? "–" : words(value) + since;
    }
  }

  /** @param {Line[]} lines */
  function showKeys(lines) {
    const same = keys.children.length === lines.length;
    if (!same) keys.replaceChildren(...lines.map(() => stamp("key")));
    for (const [i, { name, tone, look }] of lines.entries()) {
      const key = /** @type {HTMLElement} */ (keys.children[i]);
      key.dataset["tone"] = tone;
      key.dataset["look"] = bars ? `bar-${look}` : look;
      say(find(key, ".key__name", HTMLElement), name);
    }
  }

  function showTable() {
    if (!table.open || !shown) return;
    const { scrollTop } = scroll;
    scroll.replaceChildren(tableOf(shown, words));
    scroll.scrollTop = scrollTop;
  }
  table.addEventListener("toggle", showTable);

  return {
    element,
    /** @param {Drawing} fine @param {string} text what there is to see in it */
    show(fine, text) {
      const { lines, ...steps } = coarser(fine, MOST_STEPS);
      const bare = isBare(lines);
      const drawing = {
        ...steps,
        lines: lines.map((line) =>
          line.among
            ? { ...line, values: shares(line.values, line.among) }
            : line,
        ),
      };
      shown = drawing;
      say(summary, text);
      area.setAttribute("aria-label", `${title}. ${text}`);
      area.toggleAttribute("data-bare", bare);
      showKeys(drawing.lines);
      plot.show(drawing);
      onPoint(null);
      showTable();
    },
    redraw: plot.redraw,
    destroy: plot.destroy,
  };
}
