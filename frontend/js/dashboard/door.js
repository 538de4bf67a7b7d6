// Who may see what Millrace is doing: token entry, who is here, and sign-out.
import { find, say } from "../dom.js";
import { isRefusal, refusalWords } from "../refusal.js";

/** @import { Api } from "../api.js" */
/** @import { Shell } from "../shell.js" */

/** @typedef {ReturnType<typeof createDoor>} Door */

/**
 * @param {object} options
 * @param {HTMLElement} options.element the page's <main>
 * @param {Shell} options.shell
 * @param {Api} options.api
 * @param {() => void} options.onOpen
 * @param {() => void} options.onClose
 */
export function createDoor({ element, shell, api, onOpen, onClose }) {
  const controller = new AbortController();
  const { signal } = controller;
  const door = find(element, "#door", HTMLElement);
  const form = find(door, "#door-form", HTMLFormElement);
  const input = find(door, "#token", HTMLInputElement);
  const trouble = find(door, "#token-error", HTMLElement);
  const who = find(element, "#who", HTMLElement);
  const name = find(element, "#who-name", HTMLElement);
  const desk = find(element, "#desk", HTMLElement);
  const bar = find(element, "#desk-bar", HTMLElement);

  /** @param {boolean} open */
  function set(open) {
    door.hidden = open;
    desk.hidden = !open;
    bar.hidden = !open;
    who.hidden = !open;
    if (!open) element.setAttribute("aria-busy", "false");
  }

  /** @param {string | null} complaint */
  function close(complaint) {
    set(false);
    shell.admit([]);
    input.setAttribute("aria-invalid", String(complaint !== null));
    say(trouble, complaint);
    onClose();
  }

  async function check() {
    if (shell.session.token() === null) return close(null);
    // What is behind it is drawn while the API is asked: nothing moves when it says yes.
    set(true);
    try {
      const info = await api.whoAmI(signal);
      say(name, info.name);
      shell.admit(info.roles);
      if (!info.roles.includes("admin"))
        return close(
          `This is ${info.name}’s access token, and not an admin's.`,
        );
    } catch (error) {
      if (isRefusal(error)) return close(refusalWords(error));
      say(name, "…");
    }
    onOpen();
  }

  form.addEventListener(
    "submit",
    (event) => {
      event.preventDefault();
      if (!shell.session.keep(input.value.trim())) {
        close("A Millrace token begins with mr_ and is longer than this.");
        input.focus();
        return;
      }
      input.value = "";
      void check().then(() =>
        door.hidden ? find(element, "h1", HTMLElement).focus() : input.focus(),
      );
    },
    { signal },
  );
  find(element, "#forget", HTMLButtonElement).addEventListener(
    "click",
    () => {
      shell.session.forget();
      close(null);
      input.focus();
    },
    { signal },
  );
  return {
    element,
    check,
    /** @param {unknown} error a refusal that came later */
    refuse: (error) => close(refusalWords(error)),
    destroy: () => controller.abort(),
  };
}
