// Token entry and sign-out, and what the token in use may do.
import { find, say } from "../dom.js";
import { judge, needsToken, tokenWords } from "./judge.js";
import { retry } from "./retry.js";

/** @import { Api } from "../api.js" */
/** @import { Session } from "../session.js" */
/** @import { TokenInfo } from "../types.js" */

/**
 * @typedef {object} Standing
 * @property {boolean} mayUpload also true while it is not known: the API decides in the end
 * @property {string | null} name whose the token is; "" when the API could not be asked; null
 *   without a token
 * @property {readonly string[]} roles of the token, as far as they are known
 * @property {string} why what stands against uploading; "" when nothing does
 */

/** @param {TokenInfo} info */
function roleWords({ roles, expires_at }) {
  const may = roles.includes("admin")
    ? "May upload, and manage every video"
    : "May upload";
  if (expires_at === null) return `${may}.`;
  const until = new Date(expires_at).toLocaleString("en-GB", {
    dateStyle: "medium",
    timeStyle: "short",
  });
  return `${may}, until ${until}.`;
}

/** @param {TokenInfo} info */
const mayUpload = ({ roles }) =>
  roles.includes("uploader") || roles.includes("admin");

/**
 * @param {object} options
 * @param {HTMLElement} options.element
 * @param {Session} options.session
 * @param {Api} options.api
 * @param {(standing: Standing) => void} options.onChange told at first, and after every change
 */
export function createAccess({ element, session, api, onChange }) {
  const controller = new AbortController();
  const { signal } = controller;
  let asking = new AbortController();
  const known = find(element, "#access-known", HTMLElement);
  const who = find(element, "#access-name", HTMLElement);
  const role = find(element, "#access-role", HTMLElement);
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

  /** @param {string} complaint */
  function refuse(complaint) {
    show(complaint);
    onChange({ mayUpload: false, name: null, roles: [], why: complaint });
  }

  /** The token could not be looked at: the API has the last word on every request anyway. */
  function presume() {
    who.textContent = "an access token";
    role.textContent = "Millrace cannot be asked yet whose it is.";
    onChange({ mayUpload: true, name: "", roles: [], why: "" });
  }

  /** Asks the API whose the token is. */
  async function check() {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    show();
    if (session.token() === null)
      return onChange({
        mayUpload: false,
        name: null,
        roles: [],
        why: "Watching needs no token, uploading does.",
      });
    try {
      const info = await retry(() => api.whoAmI(signal), {
        judge,
        signal,
        onFailure: presume,
      });
      who.textContent = info.name;
      role.textContent = roleWords(info);
      if (mayUpload(info))
        onChange({
          mayUpload: true,
          name: info.name,
          roles: info.roles,
          why: "",
        });
      else refuse("This access token may not upload.");
    } catch (cause) {
      if (signal.aborted) return;
      if (needsToken(cause)) refuse(tokenWords(cause));
      else presume();
    }
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
      void check();
    },
    { signal },
  );
  find(element, "#forget", HTMLButtonElement).addEventListener(
    "click",
    () => {
      session.forget();
      void check();
      input.focus();
    },
    { signal },
  );
  return {
    element,
    check,
    /** @param {string} complaint why another token is needed */
    ask(complaint) {
      if (!form.hidden && !error.hidden) return;
      show(complaint);
      // Whoever is typing goes on typing.
      if (!(document.activeElement instanceof HTMLInputElement)) input.focus();
    },
    destroy() {
      controller.abort();
      asking.abort();
    },
  };
}
