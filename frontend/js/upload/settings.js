// How videos are made: what holds for every file that has no choice of its own.
import { find, say, stamp } from "../dom.js";
import {
  ladderAbout,
  ladderLabel,
  ladderMakes,
  onlyChosen,
  settle,
  WORDS,
} from "./choices.js";
import { fill } from "./selects.js";

/** @import { LadderChoice, SettingChoices, VideoSettings } from "../types.js" */

const SITE = "As this site is set";

/** @typedef {ReturnType<typeof createSettings>} Settings */

/** @param {LadderChoice} ladder @param {boolean} checked */
function ladderCard(ladder, checked) {
  const element = stamp("ladder");
  const input = find(element, "input", HTMLInputElement);
  input.value = ladder.name;
  input.checked = checked;
  const texts = {
    ".ladder__name": ladderLabel(ladder.name),
    ".ladder__about": ladderAbout(ladder),
    ".ladder__makes": ladderMakes(ladder),
  };
  for (const [selector, text] of Object.entries(texts))
    say(find(element, selector, HTMLElement), text);
  return element;
}

/** @param {{ element: HTMLDetailsElement }} options */
export function createSettings({ element }) {
  const controller = new AbortController();
  /** @type {SettingChoices | null} null until the API has told */
  let choices = null;
  const summary = find(element, "#settings-now", HTMLElement);
  const note = find(element, "#settings-note", HTMLElement);
  const cards = find(element, "#ladders", HTMLElement);
  const checkFirst = find(element, "#check-first", HTMLInputElement);
  const storyboard = find(element, "#storyboard", HTMLInputElement);
  const surround = find(element, "#surround", HTMLInputElement);
  const segment = find(element, "#segment", HTMLInputElement);
  const selects = {
    preset: find(element, "#preset", HTMLSelectElement),
    priority: find(element, "#priority", HTMLSelectElement),
    rate_control: find(element, "#rate-control", HTMLSelectElement),
    container: find(element, "#container", HTMLSelectElement),
  };

  const ladder = () =>
    cards.querySelector("input:checked")?.getAttribute("value") ?? "default";

  /** @returns {VideoSettings} as the form has them */
  function wanted() {
    /** @type {VideoSettings} */
    const settings = { ladder: ladder() };
    for (const name of /** @type {const} */ ([
      "preset",
      "priority",
      "rate_control",
      "container",
    ]))
      if (selects[name].value) settings[name] = selects[name].value;
    if (segment.value && segment.validity.valid)
      settings.segment_s = segment.valueAsNumber;
    if (!storyboard.checked) settings.thumbnails = { storyboard: false };
    if (surround.checked) settings.keep_surround = true;
    return settings;
  }

  function show() {
    const { settings, notes } = settle(wanted(), choices?.ladders ?? []);
    const more = Object.keys(settings).length - 1;
    const words =
      more > 0 ? `, ${more} more ${more === 1 ? "choice" : "choices"}` : "";
    summary.textContent = ladderLabel(ladder()) + words;
    const length =
      choices && !segment.validity.valid
        ? `Segments have ${choices.segment_s.least} to ${choices.segment_s.most} whole seconds.`
        : null;
    segment.setAttribute("aria-invalid", String(length !== null));
    say(note, [length, ...notes].filter(Boolean).join(" ") || null);
  }

  element.addEventListener("input", show, { signal: controller.signal });

  return {
    element,
    checkFirst: () => checkFirst.checked,
    choices: () => choices,

    /** @param {SettingChoices} offered what the API takes */
    offer(offered) {
      choices = offered;
      const now = ladder();
      cards.replaceChildren(
        ...offered.ladders.map((each) => ladderCard(each, each.name === now)),
      );
      fill(selects.preset, SITE, offered.presets, WORDS["preset"]);
      fill(selects.container, SITE, offered.containers, WORDS["container"]);
      const priorities = offered.priorities.filter((name) => name !== "normal");
      fill(selects.priority, "Normal", priorities, WORDS["priority"]);
      const controls = offered.rate_controls.filter((name) => name !== "crf");
      fill(
        selects.rate_control,
        "Constant quality",
        controls,
        WORDS["rate_control"],
      );
      segment.min = String(offered.segment_s.least);
      segment.max = String(offered.segment_s.most);
      segment.placeholder = String(offered.segment_s.usual);
      show();
    },

    /**
     * @param {VideoSettings} own what was chosen for the one file
     * @returns {VideoSettings | undefined} what to ask the API for; undefined: nothing particular
     */
    resolve(own) {
      if (!choices) return undefined;
      const { settings } = settle({ ...wanted(), ...own }, choices.ladders);
      return onlyChosen(settings, choices.segment_s);
    },

    destroy: () => controller.abort(),
  };
}
