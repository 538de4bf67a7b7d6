// Token entry and sign-out where a page is everybody's, and a token shows more of it.
import { find, say } from "./dom.js";
import { isRefusal, refusalWords } from "./refusal.js";

/** @import { Api } from "./api.js" */
/** @import { Shell } from "./shell.js" */
/** @import { TokenInfo } from "./types.js" */

/**
 * @param {object} options
 * @param {Shell} options.shell
 * @param {Api} options.api
 * @param {() => void} options.onChange somebody signed in or out here
 */
export function createAccount({ shell, api, onChange }) {
  const controller = new AbortController();
  const { signal } = controller;
  const { session } = shell;
  const element = find(document, "#account", HTMLElement);
  const who = find(element, "#account-who", HTMLElement);
  const button = find(element, "#account-button", HTMLButtonElement);
  const dialog = find(document, "#sign-in", HTMLDialogElement);
  const form = find(dialog, "#sign-in-form", HTMLFormElement);
  const input = find(dialog, "#token", HTMLInputElement);
  const trouble = find(dialog, "#token-error", HTMLElement);

  /** @param {string | null} name null: nobody is signed in */
  function show(name) {
    find(who, "#account-name", HTMLElement).textContent = name;
    who.hidden = name === null;
    button.textContent = name === null ? "Sign in" : "Sign out";
    button.hidden = false;
  }

  /** @param {string | null} complaint */
  function complain(complaint) {
    input.setAttribute("aria-invalid", String(complaint !== null));
    say(trouble, complaint);
  }

  /** @returns {Promise<TokenInfo | null>} whose the token of this tab is, as far as is known */
  async function check() {
    if (session.token() === null) {
      show(null);
      return null;
    }
    show("…");
    try {
      const info = await api.whoAmI(signal);
      shell.admit(info.roles);
      show(info.name);
      return info;
    } catch (error) {
      // A token that could not be looked at may be good: the API has the last word anyway.
      if (!isRefusal(error)) return null;
      session.forget();
      show(null);
      complain(refusalWords(error));
      return null;
    }
  }

  function signOut() {
    session.forget();
    shell.admit([]);
    show(null);
    onChange();
  }

  /** @param {SubmitEvent} event */
  async function signIn(event) {
    event.preventDefault();
    complain(null);
    if (session.keep(input.value.trim())) await check();
    else complain("A Millrace token begins with mr_ and is longer than this.");
    if (session.token() === null) return input.focus();
    input.value = "";
    dialog.close();
    onChange();
  }

  button.addEventListener(
    "click",
    () => (session.token() === null ? dialog.showModal() : signOut()),
    { signal },
  );
  form.addEventListener("submit", (event) => void signIn(event), { signal });
  find(dialog, "#sign-in-not", HTMLButtonElement).addEventListener(
    "click",
    () => dialog.close(),
    { signal },
  );
  return { element, check, destroy: () => controller.abort() };
}
