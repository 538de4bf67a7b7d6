// What the page says around the cards: loading, nothing there, nothing found, not reachable.
import { find, say } from "../dom.js";
import { isFiltered } from "./query.js";

/** @import { Query } from "./query.js" */

const ORDERS = {
  newest: "newest first",
  oldest: "oldest first",
  title: "by title",
  longest: "longest first",
  shortest: "shortest first",
};

/** @param {Query} query */
function nothingWords({ q, status, from, to }) {
  if (q && !status && !from && !to)
    return `No title has words that begin with “${q}”. Each word has to begin as it does in the title.`;
  if (q) return `No video is like that and has “${q}” in its title.`;
  if (from || to) return "No video was made on these days and is like that.";
  return "No video has this status right now.";
}

/** @param {HTMLElement} element the page's <main> */
export function createStates(element) {
  const skeletons = find(element, "#skeletons", HTMLElement);
  const empty = find(element, "#empty", HTMLElement);
  const filtered = find(element, "#empty-filter", HTMLElement);
  const nothing = find(element, "#nothing", HTMLElement);
  const failure = find(element, "#failure", HTMLElement);
  const failureText = find(element, "#failure-text", HTMLElement);
  const retry = find(element, "#retry", HTMLElement);
  const lede = find(element, "#lede", HTMLElement);
  let failed = false;

  /** @param {string} text @param {boolean} curable */
  function complain(text, curable) {
    failed = curable;
    retry.hidden = !curable;
    say(failureText, text);
    failure.hidden = false;
  }

  return {
    /**
     * @param {{ loaded: boolean, active: number, query: Query, empty: boolean }} now
     */
    show({ loaded, active, query, empty: none }) {
      skeletons.hidden = loaded || failed;
      element.setAttribute("aria-busy", String(!loaded && !failed));
      empty.hidden = !(none && !isFiltered(query));
      filtered.hidden = !(none && isFiltered(query));
      if (!filtered.hidden) nothing.textContent = nothingWords(query);
      // Short enough for one line of a phone: nothing below it moves.
      const way = `${active} ${active === 1 ? "video is" : "videos are"} on the way.`;
      const rest = `${isFiltered(query) ? "Videos like that" : "Every video"}, ${ORDERS[query.sort]}.`;
      say(lede, active > 0 ? way : rest);
    },
    /**
     * The list cannot be had.
     * @param {string} text
     * @param {{ loaded: boolean }} now
     */
    fail(text, { loaded }) {
      complain(text, true);
      skeletons.hidden = true;
      if (!loaded) element.setAttribute("aria-busy", "false");
    },
    /**
     * Something else went wrong: what is shown is true.
     * @param {string} text
     */
    refuse: (text) => complain(text, false),
    /** The list could be had again. */
    recover() {
      if (!failed) return;
      failed = false;
      failure.hidden = true;
      say(failureText, null);
    },
    focus: () => element.focus(),
  };
}
