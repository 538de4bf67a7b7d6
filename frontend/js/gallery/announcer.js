// Tells a screen reader what has become of the list. What is overtaken within a moment is not said.

const REST_MS = 400;

/** @param {HTMLElement} element a polite live region */
export function createAnnouncer(element) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return {
    /** @param {string} text */
    say(text) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        // The same words again are news only if they were gone in between.
        element.textContent = "";
        element.textContent = text;
      }, REST_MS);
    },
    destroy: () => clearTimeout(timer),
  };
}
