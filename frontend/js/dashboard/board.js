// A table that becomes cards on a phone: each cell brings the name of its column.
import { find, stamp } from "../dom.js";

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {"text" | "number"} [kind]
 */

/**
 * @template Item
 * @param {object} options
 * @param {string} options.name of the table
 * @param {Column[]} options.columns the first names the row
 * @param {(item: Item) => string} options.keyOf
 * @param {(item: Item) => (string | Node)[]} options.cells
 * @param {(row: HTMLElement, item: Item) => void} [options.dress]
 */
export function createBoard({ name, columns, keyOf, cells, dress }) {
  const element = stamp("board");
  element.setAttribute("aria-label", name);
  const body = find(element, "tbody", HTMLElement);
  find(element, "thead tr", HTMLElement).append(
    ...columns.map(({ name, kind }) => {
      const head = document.createElement("th");
      head.setAttribute("role", "columnheader");
      head.scope = "col";
      head.textContent = name;
      if (kind === "number") head.dataset["kind"] = kind;
      return head;
    }),
  );
  /** @type {Map<string, { row: HTMLElement, made: string }>} */
  const rows = new Map();

  function createRow() {
    const row = document.createElement("tr");
    // A table shown as cards is no table to a screen reader unless it is told.
    row.setAttribute("role", "row");
    for (const [i, { name, kind }] of columns.entries()) {
      const cell = document.createElement(i === 0 ? "th" : "td");
      cell.setAttribute("role", i === 0 ? "rowheader" : "cell");
      cell.dataset["label"] = name;
      if (kind === "number") cell.dataset["kind"] = kind;
      row.append(cell);
    }
    return row;
  }

  /** @param {Item} item */
  function rowOf(item) {
    const key = keyOf(item);
    const known = rows.get(key) ?? { row: createRow(), made: "" };
    rows.set(key, known);
    const now = JSON.stringify(item);
    // What has the focus or is being read is left alone unless it is another.
    if (known.made !== now)
      for (const [i, content] of cells(item).entries())
        known.row.children[i]?.replaceChildren(content);
    known.made = now;
    dress?.(known.row, item);
    return known.row;
  }

  return {
    element,
    /** @param {readonly Item[]} items */
    show(items) {
      const wanted = items.map(rowOf);
      const keys = new Set(items.map(keyOf));
      for (const [key, { row }] of rows)
        if (!keys.has(key)) {
          row.remove();
          rows.delete(key);
        }
      for (const [i, row] of wanted.entries())
        if (body.children[i] !== row)
          body.insertBefore(row, body.children[i] ?? null);
    },
  };
}

/**
 * @param {string} href
 * @param {string} text
 * @param {string} [label] what it says to who does not see where it stands
 */
export function link(href, text, label) {
  const element = document.createElement("a");
  element.href = href;
  element.textContent = text;
  if (label) element.setAttribute("aria-label", label);
  return element;
}

/** @param {string} className @param {...(string | Node)} content */
export function span(className, ...content) {
  const element = document.createElement("span");
  element.className = className;
  element.append(...content);
  return element;
}
