// The banner of a page whose figures cannot be had: what is shown stays, and says from when it is.
import { find, say } from "../dom.js";
import { explain } from "../trouble.js";

/**
 * @param {HTMLElement} element the page's <main>
 * @param {() => void} onRetry
 */
export function createFailure(element, onRetry) {
  const controller = new AbortController();
  const banner = find(element, "#failure", HTMLElement);
  const text = find(element, "#failure-text", HTMLElement);
  const retry = find(element, "#retry", HTMLButtonElement);
  retry.addEventListener("click", onRetry, { signal: controller.signal });

  function clear() {
    if (banner.hidden) return;
    banner.hidden = true;
    say(text, null);
  }

  return {
    /**
     * @param {unknown} error
     * @param {Date | null} [since] when what is shown was true; null: nothing is shown
     */
    show(error, since = null) {
      const shown = since
        ? ` What is shown is from ${since.toLocaleTimeString("en-GB")}.`
        : "";
      retry.hidden = false;
      say(text, explain(error) + shown);
      banner.hidden = false;
    },
    /** @param {string} words what was asked for and not done: asking again does not help */
    refuse(words) {
      retry.hidden = true;
      say(text, words);
      banner.hidden = false;
    },
    /** The figures could be had again: what was refused is still refused. */
    recover() {
      if (!retry.hidden) clear();
    },
    clear,
    destroy: () => controller.abort(),
  };
}
