// What every page has: the session, the theme switch, the race under the header.
import { find } from "./dom.js";
import { createSession } from "./session.js";

/** @returns {"light" | "dark"} */
function currentTheme() {
  const chosen = document.documentElement.dataset["theme"];
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/**
 * @param {HTMLElement} button
 * @param {AbortSignal} signal
 */
function wireTheme(button, signal) {
  const show = () => {
    const other = currentTheme() === "dark" ? "light" : "dark";
    button.setAttribute("aria-label", `Use the ${other} theme`);
    button.title = `Use the ${other} theme`;
  };
  const toggle = () => {
    const theme = currentTheme() === "dark" ? "light" : "dark";
    document.documentElement.dataset["theme"] = theme;
    try {
      localStorage.setItem("millrace.theme", theme);
    } catch {
      // Storage may be forbidden; the choice holds for this page then.
    }
    show();
  };
  button.addEventListener("click", toggle, { signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show, {
    signal,
  });
  show();
}

/** @typedef {ReturnType<typeof createShell>} Shell */

export function createShell() {
  const controller = new AbortController();
  const element = find(document, ".site-header", HTMLElement);
  const race = find(document, ".race", HTMLElement);
  wireTheme(
    find(element, "#theme-toggle", HTMLButtonElement),
    controller.signal,
  );
  const session = createSession({ storage: sessionStorage, location, history });

  /**
   * What only some roles can use is offered to those.
   * @param {readonly string[]} roles of the token in use
   */
  function admit(roles) {
    for (const link of element.querySelectorAll("[data-for]"))
      if (link instanceof HTMLElement)
        link.hidden = !roles.includes(link.dataset["for"] ?? "");
  }

  return {
    element,
    session,
    admit,
    /**
     * The water under the header runs while Millrace is working on something.
     * @param {boolean} flowing
     */
    setFlowing: (flowing) => race.toggleAttribute("data-flowing", flowing),
    destroy: () => controller.abort(),
  };
}
