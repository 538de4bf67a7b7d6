// Asks before what cannot be undone.
import { find } from "../dom.js";

/** @param {HTMLDialogElement} element */
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
     * @returns {Promise<boolean>} Escape means no
     */
    ask(question) {
      title.textContent = question;
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
