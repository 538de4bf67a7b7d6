// The choices for one file, as long as it has not been announced: title, ladder, speed, priority.
import { find } from "../dom.js";
import { WORDS } from "./choices.js";
import { fill, ladderWords } from "./selects.js";

/** @import { SettingChoices, VideoSettings } from "../types.js" */

const ALL = "As for all";

/** @typedef {ReturnType<typeof createFileForm>} FileForm */

/**
 * @param {object} options
 * @param {HTMLElement} options.row
 * @param {string} options.filename
 * @param {SettingChoices | null} options.choices null: only a title can be given
 */
export function createFileForm({ row, filename, choices }) {
  const element = find(row, ".job__options", HTMLDetailsElement);
  const title = find(element, ".job__title", HTMLInputElement);
  const selects = {
    ladder: find(element, ".job__ladder", HTMLSelectElement),
    preset: find(element, ".job__preset", HTMLSelectElement),
    priority: find(element, ".job__priority", HTMLSelectElement),
  };
  title.placeholder = filename.replace(/\.[^.]+$/, "");
  for (const select of Object.values(selects)) select.disabled = !choices;

  /** Only once somebody looks: a thousand files would have ten thousand options. */
  function fillIn() {
    if (!choices) return;
    const { ladders, presets, priorities } = choices;
    const names = ladders.map(({ name }) => name);
    fill(selects.ladder, ALL, names, ladderWords(ladders));
    fill(selects.preset, ALL, presets, WORDS["preset"]);
    fill(selects.priority, ALL, priorities, WORDS["priority"]);
  }
  // It goes with its element: nothing else holds on to it.
  element.addEventListener("toggle", fillIn, { once: true });

  return {
    /** @param {boolean} shown @param {boolean} [open] */
    show(shown, open = element.open) {
      element.hidden = !shown;
      element.open = open;
    },

    /** @returns {{ title: string | undefined, settings: VideoSettings }} */
    read() {
      /** @type {VideoSettings} */
      const settings = {};
      for (const name of /** @type {const} */ ([
        "ladder",
        "preset",
        "priority",
      ]))
        if (selects[name].value) settings[name] = selects[name].value;
      return { title: title.value.trim() || undefined, settings };
    },
  };
}
