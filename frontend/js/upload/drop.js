import { find, say } from "../dom.js";
import { EXTENSIONS } from "./accept.js";
import { readDrop } from "./folder.js";

/** @import { Dropped } from "./folder.js" */

/**
 * The drop zone and its pickers. The whole page takes drops, so that a file let go a little beside
 * the zone does not open in the tab.
 * @param {object} options
 * @param {HTMLElement} options.element
 * @param {(dropped: Dropped) => void} options.onFiles
 */
export function createDrop({ element, onFiles }) {
  const controller = new AbortController();
  const { signal } = controller;

  /**
   * @param {string} buttonSelector
   * @param {string} inputSelector
   * @param {(files: File[]) => Dropped} sort
   */
  function wirePicker(buttonSelector, inputSelector, sort) {
    const button = find(element, buttonSelector, HTMLButtonElement);
    const input = find(element, inputSelector, HTMLInputElement);
    button.addEventListener("click", () => input.click(), { signal });
    input.addEventListener(
      "change",
      () => {
        onFiles(sort([...(input.files ?? [])]));
        // The same file can be picked again.
        input.value = "";
      },
      { signal },
    );
    return input;
  }

  const input = wirePicker("#pick", "#files", (files) => ({
    files,
    inFolders: [],
  }));
  input.accept = ["video/*", ...EXTENSIONS].join(",");
  wirePicker("#pick-folder", "#folder", (inFolders) => ({
    files: [],
    inFolders,
  }));

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
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      over(0);
      void readDrop(event.dataTransfer).then(onFiles);
    },
    { signal },
  );
  return {
    element,

    /** @param {boolean} allowed @param {string} why shown when it is not */
    allow(allowed, why) {
      element.toggleAttribute("data-closed", !allowed);
      say(find(element, "#drop-why", HTMLElement), why);
    },

    /** @param {string} limit how large a file may be */
    hint: (limit) => say(find(element, "#drop-limit", HTMLElement), limit),

    destroy: () => controller.abort(),
  };
}
