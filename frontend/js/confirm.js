// Asks before what cannot be undone.
import { find } from "./dom.js";

/** @typedef {ReturnType<typeof createConfirm>} Confirm */

/**
 * @param {HTMLDialogElement} element with `#confirm-title`, `#confirm-keep`, `#confirm-go` and, where
 *   the question needs it, `#confirm-text`
 */
export function createConfirm(element) {
  const controller = new AbortController();
  const { signal } = controller;
  const title = find(element, "#confirm-title", HTMLElement);
  const keep = find(element, "#confirm-keep", HTMLButtonElement);
  const go = find(element, "#confirm-go", HTMLButtonElement);
  /** @type {(sure: boolean) => void} */
  let answer = () => {};

  keep.addEventListener("click", () => element.close("keep"), { signal });
  go.addEventListener("click", () => element.close("go"), { signal });
  element.addEventListener(
    "close",
    () => answer(element.returnValue === "go"),
    { signal },
  );
  return {
    element,
    /**
     * @param {string} question
     * @param {string} [text] what follows from it; without it the page's own words stay
     * @returns {Promise<boolean>} Escape means no
     */
    ask(question, text) {
      title.textContent = question;
      if (text) find(element, "#confirm-text", HTMLElement).textContent = text;
      element.returnValue = "";
      element.showModal();
      keep.focus();
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
    destroy: () => controller.abort(),
  };
}
