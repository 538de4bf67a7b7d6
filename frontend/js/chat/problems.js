// What does not work of one's own devices, in words, and a button to try again.
import { find, stamp } from "../dom.js";

/** @import { Problem } from "./media.js" */

/**
 * @param {HTMLElement} element
 * @param {Problem[]} found
 * @param {(what: Problem["what"]) => void} onRetry
 */
export function showProblems(element, found, onRetry) {
  element.replaceChildren(
    ...found.map(({ what, words }) => {
      const line = stamp("problem");
      find(line, "span", HTMLElement).textContent = words;
      find(line, "button", HTMLButtonElement).addEventListener("click", () =>
        onRetry(what),
      );
      return line;
    }),
  );
}
