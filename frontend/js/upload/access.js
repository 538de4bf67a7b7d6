// Token entry and sign-out.
import { find, say } from "../dom.js";

/** @import { Session } from "../session.js" */

/**
 * @param {object} options
 * @param {HTMLElement} options.element
 * @param {Session} options.session
 * @param {() => void} options.onToken a token was entered
 */
export function createAccess({ element, session, onToken }) {
  const controller = new AbortController();
  const { signal } = controller;
  const known = find(element, "#access-known", HTMLElement);
  const tail = find(element, "#token-tail", HTMLElement);
  const form = find(element, "#access-form", HTMLFormElement);
  const input = find(element, "#token", HTMLInputElement);
  const error = find(element, "#token-error", HTMLElement);

  /** @param {string | null} [complaint] */
  function show(complaint = null) {
    const token = session.token();
    known.hidden = token === null || complaint !== null;
    form.hidden = !known.hidden;
    // Enough to tell two tokens apart, too little to be one.
    tail.textContent = token ? `…${token.slice(-4)}` : "";
    input.setAttribute("aria-invalid", String(complaint !== null));
    say(error, complaint);
  }

  form.addEventListener(
    "submit",
    (event) => {
      event.preventDefault();
      if (!session.keep(input.value.trim())) {
        show("A Millrace token begins with mr_ and is longer than this.");
        input.focus();
        return;
      }
      input.value = "";
      show();
      onToken();
    },
    { signal },
  );
  find(element, "#forget", HTMLButtonElement).addEventListener(
    "click",
    () => {
      session.forget();
      show();
      input.focus();
    },
    { signal },
  );
  show();
  return {
    element,
    /** @param {string} complaint why another token is needed */
    ask(complaint) {
      if (!form.hidden && !error.hidden) return;
      show(complaint);
      input.focus();
    },
    destroy: () => controller.abort(),
  };
}
