// The filters, the search and the order: form fields on one side, a query on the other.
import { find } from "../dom.js";
import { EVERYTHING, settle } from "./query.js";

/** @import { Sort, Status } from "../types.js" */
/** @import { Query } from "./query.js" */

/** Long enough for the next letter, short enough not to be noticed. */
const TYPING_MS = 250;

/** @param {string} text a day */
const inWords = (text) =>
  new Date(`${text}T12:00:00`).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
  });

/** @param {Query} query */
function datesInWords({ from, to }) {
  if (from && from === to) return inWords(from);
  if (from && to) return `${inWords(from)} – ${inWords(to)}`;
  if (from) return `Since ${inWords(from)}`;
  return to ? `Until ${inWords(to)}` : "Any date";
}

/** @param {number} days before today */
function dayBefore(days) {
  const now = new Date();
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() - days);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/**
 * @param {object} options
 * @param {HTMLElement} options.element
 * @param {Query} options.query
 * @param {(query: Query, options: { typing: boolean }) => void} options.onChange `typing`: one of
 *   many changes that belong together
 */
export function createControls({ element, query: first, onChange }) {
  const controller = new AbortController();
  const { signal } = controller;
  const search = find(element, "#search", HTMLInputElement);
  const sort = find(element, "#sort", HTMLSelectElement);
  const from = find(element, "#from", HTMLInputElement);
  const to = find(element, "#to", HTMLInputElement);
  const dates = find(element, "#dates", HTMLDetailsElement);
  const datesText = find(element, "#dates-text", HTMLElement);
  let query = first;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function show() {
    const radio = `input[name="status"][value="${query.status ?? ""}"]`;
    find(element, radio, HTMLInputElement).checked = true;
    if (search.value.trim() !== query.q) search.value = query.q;
    if (from.value !== query.from) from.value = query.from;
    if (to.value !== query.to) to.value = query.to;
    from.max = query.to;
    to.min = query.from;
    sort.value = query.sort;
    for (const option of sort.options)
      option.disabled =
        query.q !== "" && !["newest", "oldest"].includes(option.value);
    datesText.textContent = datesInWords(query);
    dates.toggleAttribute("data-set", Boolean(query.from || query.to));
  }

  /**
   * @param {Partial<Query>} changes
   * @param {boolean} [typing]
   */
  function change(changes, typing = false) {
    clearTimeout(timer);
    const next = settle({ ...query, q: search.value.trim(), ...changes });
    if (JSON.stringify(next) === JSON.stringify(query)) return;
    query = next;
    show();
    onChange(query, { typing });
  }

  element.addEventListener(
    "change",
    ({ target }) => {
      if (target instanceof HTMLInputElement && target.name === "status")
        change({ status: /** @type {Status | null} */ (target.value || null) });
      if (target === sort) change({ sort: /** @type {Sort} */ (sort.value) });
      if (target === from || target === to)
        change({ from: from.value, to: to.value });
    },
    { signal },
  );
  search.addEventListener(
    "input",
    () => {
      clearTimeout(timer);
      timer = setTimeout(() => change({}, true), TYPING_MS);
    },
    { signal },
  );
  find(element, "#search-form", HTMLFormElement).addEventListener(
    "submit",
    (event) => {
      event.preventDefault();
      change({}, true);
    },
    { signal },
  );
  document.addEventListener(
    "keydown",
    (event) => {
      const typing =
        event.target instanceof Element &&
        event.target.closest("input, select, dialog");
      if (event.key !== "/" || event.ctrlKey || event.metaKey || typing) return;
      event.preventDefault();
      search.focus();
    },
    { signal },
  );
  for (const button of dates.querySelectorAll("button"))
    button.addEventListener(
      "click",
      () => {
        const days = button.dataset["days"];
        dates.open = false;
        find(dates, "summary", HTMLElement).focus();
        change({ from: days ? dayBefore(Number(days)) : "", to: "" });
      },
      { signal },
    );
  dates.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || !dates.open) return;
      dates.open = false;
      find(dates, "summary", HTMLElement).focus();
    },
    { signal },
  );
  document.addEventListener(
    "pointerdown",
    ({ target }) => {
      if (target instanceof Node && !dates.contains(target)) dates.open = false;
    },
    { signal },
  );
  show();
  return {
    element,
    /** @param {Query} next */
    show(next) {
      clearTimeout(timer);
      query = next;
      search.value = next.q;
      show();
    },
    /** Back to everything; the order stays. */
    clear() {
      search.value = "";
      change({ ...EVERYTHING, sort: query.sort });
    },
    destroy() {
      clearTimeout(timer);
      controller.abort();
    },
  };
}
