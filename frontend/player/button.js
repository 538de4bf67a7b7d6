import { build } from "./build.js";
import { icon } from "./icons.js";

/** @import { IconName } from "./icons.js" */

/**
 * A button with a drawing. `show` changes drawing and words together.
 * @param {object} options
 * @param {IconName} options.name
 * @param {string} options.label
 * @param {() => void} options.onClick
 * @param {AbortSignal} options.signal
 */
export function createButton({ name, label, onClick, signal }) {
  const button = build("button", "mr-button", { type: "button" }, icon(name));
  button.addEventListener("click", onClick, { signal });
  let shown = "";
  /** @param {IconName} next @param {string} words */
  const show = (next, words) => {
    if (shown === next + words) return;
    shown = next + words;
    button.replaceChildren(icon(next));
    button.setAttribute("aria-label", words);
    button.title = words;
  };
  show(name, label);
  return { button, show };
}
