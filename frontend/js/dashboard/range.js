// How far back one looks. The address is the state.
import { find } from "../dom.js";

/** @import { Range } from "./types.js" */

/** @type {Record<Range, string>} */
export const RANGES = {
  "1h": "the last hour",
  "6h": "the last 6 hours",
  "24h": "the last 24 hours",
  "7d": "the last 7 days",
  "30d": "the last 30 days",
};
/** @type {Range} */
const USUAL = "24h";

/** @param {string} search of an address @returns {Range} */
export function readRange(search) {
  const given = new URLSearchParams(search).get("range") ?? "";
  return Object.hasOwn(RANGES, given) ? /** @type {Range} */ (given) : USUAL;
}

/** @param {string} address @param {Range} range @returns {string} */
export function writeRange(address, range) {
  const url = new URL(address);
  if (range === USUAL) url.searchParams.delete("range");
  else url.searchParams.set("range", range);
  return url.href;
}

/**
 * @param {object} options
 * @param {HTMLElement} options.element
 * @param {(range: Range) => void} options.onChange
 */
export function createRange({ element, onChange }) {
  const controller = new AbortController();
  const { signal } = controller;
  const now = () => readRange(location.search);

  function show() {
    const chosen = `input[value="${now()}"]`;
    find(element, chosen, HTMLInputElement).checked = true;
  }

  element.addEventListener(
    "change",
    ({ target }) => {
      if (!(target instanceof HTMLInputElement)) return;
      const range = /** @type {Range} */ (target.value);
      history.pushState(null, "", writeRange(location.href, range));
      onChange(range);
    },
    { signal },
  );
  addEventListener(
    "popstate",
    () => {
      show();
      onChange(now());
    },
    { signal },
  );
  show();
  return { element, now, destroy: () => controller.abort() };
}
