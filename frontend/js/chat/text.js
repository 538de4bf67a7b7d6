// What is written during a call. It goes from browser to browser and is kept nowhere.
import { find, stamp } from "../dom.js";

/** @typedef {ReturnType<typeof createWords>} Words */

/**
 * @param {object} options
 * @param {HTMLElement} options.element
 * @param {(text: string) => boolean} options.onSay whether it was sent
 */
export function createWords({ element, onSay }) {
  const controller = new AbortController();
  const list = find(element, "#words-list", HTMLOListElement);
  const field = find(element, "#words-text", HTMLInputElement);
  const send = find(element, "button", HTMLButtonElement);

  find(element, "#words-form", HTMLFormElement).addEventListener(
    "submit",
    (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (!text || !onSay(text)) return;
      add("You", text);
      field.value = "";
    },
    { signal: controller.signal },
  );

  /**
   * @param {"You" | "Other"} who
   * @param {string} text
   */
  function add(who, text) {
    const line = stamp("word");
    line.dataset["who"] = who;
    find(line, ".word__who", HTMLElement).textContent = who;
    find(line, ".word__text", HTMLElement).textContent = text;
    list.append(line);
    line.scrollIntoView({ block: "end" });
  }

  return {
    element,
    add,
    /** @param {boolean} possible */
    enable(possible) {
      field.disabled = send.disabled = !possible;
    },
    clear: () => list.replaceChildren(),
    destroy: () => controller.abort(),
  };
}
