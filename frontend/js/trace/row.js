// One task of the waterfall: its name, and a bar for each wait and each attempt.
import { find, say, stamp } from "../dom.js";
import { spoken } from "./words.js";

/** @import { Bar, Row } from "./rows.js" */
/** @import { Part } from "./zoom.js" */

/** @typedef {ReturnType<typeof createRow>} RowView */

/** @param {HTMLElement} element @param {Bar} bar @param {Row} row @param {Part} part */
function place(element, bar, row, part) {
  const share = (/** @type {number} */ ms) =>
    `${(100 * ms) / (part.to_ms - part.from_ms)}%`;
  element.style.insetInlineStart = share(bar.from_ms - part.from_ms);
  element.style.inlineSize = share(Math.max(0, bar.to_ms - bar.from_ms));
  element.dataset["outcome"] = bar.waited ? "queue" : bar.span.outcome;
  element.toggleAttribute("data-beside", bar.beside);
  element.setAttribute("aria-label", spoken(row, bar));
}

export function createRow() {
  const element = stamp("row");
  const name = find(element, ".fall__name", HTMLElement);
  const lane = find(element, ".fall__lane", HTMLElement);
  /** @type {Row | null} */
  let shown = null;

  return {
    element,
    /**
     * @param {Row} row
     * @param {{ place: number, top_px: number, part: Part, current: number | null }} now
     *   `current`: which bar the keyboard is at, if it is in this row
     */
    show(row, { place: at, top_px, part, current }) {
      shown = row;
      element.style.translate = `0 ${top_px}px`;
      element.setAttribute("aria-rowindex", String(at + 1));
      element.toggleAttribute("data-current", current !== null);
      say(name, row.name);
      name.title = row.name;
      while (lane.children.length > row.bars.length) lane.lastChild?.remove();
      for (const [i, bar] of row.bars.entries()) {
        const known = lane.children[i];
        const cell =
          known instanceof HTMLElement ? known : document.createElement("div");
        cell.className = "bar";
        cell.setAttribute("role", "gridcell");
        cell.tabIndex = i === current ? 0 : -1;
        place(cell, bar, row, part);
        if (!known) lane.append(cell);
      }
    },
    /** @param {number} i */
    focus(i) {
      const cell = lane.children[i];
      if (cell instanceof HTMLElement) cell.focus({ preventScroll: true });
      // The row, not the bar: names stay where they are, and the page comes along if it has to.
      element.scrollIntoView({ block: "nearest" });
    },
    /** @param {EventTarget | null} target @returns {{ row: Row, i: number, bar: Bar } | null} */
    barAt(target) {
      if (!shown || !(target instanceof Element)) return null;
      const i = [...lane.children].indexOf(target);
      const bar = shown.bars[i];
      return bar ? { row: shown, i, bar } : null;
    },
  };
}
