import { find } from "../dom.js";
import { EXTENSIONS } from "./accept.js";

/**
 * The drop zone and its picker. The whole page takes drops, so that a file let go a little beside
 * the zone does not open in the tab.
 * @param {object} options
 * @param {HTMLElement} options.element
 * @param {(files: File[]) => void} options.onFiles
 */
export function createDrop({ element, onFiles }) {
  const controller = new AbortController();
  const { signal } = controller;
  const input = find(element, "#files", HTMLInputElement);
  input.accept = ["video/*", ...EXTENSIONS].join(",");

  find(element, "#pick", HTMLButtonElement).addEventListener(
    "click",
    () => input.click(),
    { signal },
  );
  input.addEventListener(
    "change",
    () => {
      onFiles([...(input.files ?? [])]);
      // The same file can be picked again.
      input.value = "";
    },
    { signal },
  );

  let depth = 0;
  /** @param {number} next */
  const over = (next) => {
    depth = Math.max(0, next);
    element.toggleAttribute("data-over", depth > 0);
  };
  const hasFiles = (/** @type {DragEvent} */ event) =>
    event.dataTransfer?.types.includes("Files") ?? false;
  document.addEventListener(
    "dragenter",
    (event) => hasFiles(event) && over(depth + 1),
    { signal },
  );
  document.addEventListener("dragleave", () => over(depth - 1), { signal });
  document.addEventListener(
    "dragover",
    (event) => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    },
    { signal },
  );
  document.addEventListener(
    "drop",
    (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      over(0);
      onFiles([...(event.dataTransfer?.files ?? [])]);
    },
    { signal },
  );
  return { element, destroy: () => controller.abort() };
}
