// How long videos took until they could be watched, or were complete: a column for each bucket. Its
// text is the table.
import { find, say, setLevel, stamp } from "../dom.js";
import { count } from "./numbers.js";
import { spreadWords } from "./summary.js";

/** @import { Spread, Window } from "./types.js" */

const LEAST_BINS = 10;

/** @param {number} seconds @returns {string} "30", "2 m", "1 h" */
function short(seconds) {
  if (seconds < 120) return String(seconds);
  if (seconds < 3600) return `${Math.round(seconds / 6) / 10} m`;
  return `${Math.round(seconds / 360) / 10} h`;
}

/** @param {Spread["buckets"]} buckets without the empty ones that nothing comes after */
export const trimmed = (buckets) =>
  buckets.slice(
    0,
    Math.max(LEAST_BINS, buckets.findLastIndex(({ count }) => count > 0) + 2),
  );

/**
 * @param {Spread["buckets"]} buckets
 * @returns {{ name: string, spoken: string }[]}
 */
export const binNames = (buckets) =>
  buckets.map(({ le }, i) => {
    const before = buckets[i - 1]?.le;
    if (le !== null)
      return { name: `≤ ${short(le)}`, spoken: `up to ${le} seconds` };
    return before == null
      ? { name: "any", spoken: "any time" }
      : { name: `> ${short(before)}`, spoken: `more than ${before} seconds` };
  });

export function createSpread() {
  const controller = new AbortController();
  const element = stamp("spread");
  const bins = find(element, ".bins", HTMLElement);
  const summary = find(element, ".chart__summary", HTMLElement);
  /** @type {"playable" | "complete"} */
  let end = "playable";
  /** @type {Window | null} */
  let shown = null;

  function show() {
    if (!shown) return;
    const spread =
      end === "playable" ? shown.time_to_playable_s : shown.time_to_complete_s;
    const buckets = trimmed(spread.buckets);
    const names = binNames(buckets);
    const most = Math.max(1, ...buckets.map((bucket) => bucket.count));
    if (bins.children.length !== names.length)
      bins.replaceChildren(...names.map(() => stamp("bin")));
    bins.setAttribute("aria-label", `Videos, by seconds until ${end}`);
    for (const [i, { name, spoken }] of names.entries()) {
      const bin = /** @type {HTMLElement} */ (bins.children[i]);
      const videos = buckets[i]?.count ?? 0;
      find(bin, ".bin__count", HTMLElement).textContent = count(videos);
      find(bin, ".bin__name", HTMLElement).textContent = name;
      find(bin, ".bin__spoken", HTMLElement).textContent = spoken;
      bin.toggleAttribute("data-none", videos === 0);
      setLevel(bin, videos / most);
    }
    say(summary, spreadWords(spread, end));
  }

  element.addEventListener(
    "change",
    ({ target }) => {
      if (!(target instanceof HTMLInputElement)) return;
      end = target.value === "complete" ? "complete" : "playable";
      show();
    },
    { signal: controller.signal },
  );
  return {
    element,
    /** @param {Window} window */
    show(window) {
      shown = window;
      show();
    },
    destroy: () => controller.abort(),
  };
}
