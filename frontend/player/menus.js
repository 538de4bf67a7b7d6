// The menus of the control bar: subtitles, sound, speed, quality.
import { rateWords } from "./levels.js";
import { createMenu } from "./menu.js";

/** @import { Track } from "./engine.js" */
/** @import { Level } from "./levels.js" */

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/** @param {number} speed */
export const speedWords = (speed) => `${speed}×`;

/** @param {Track[]} tracks */
const choicesOf = (tracks) =>
  tracks.map(({ index, name }) => ({ value: index, label: name }));

/** @param {readonly { index: number, name: string }[]} all @param {number} index */
const nameAt = (all, index) => all.find((each) => each.index === index)?.name;

/**
 * @param {object} actions
 * @param {(index: number) => void} actions.level -1 for Auto
 * @param {(index: number) => void} actions.text -1 for none
 * @param {(index: number) => void} actions.audio
 * @param {(speed: number) => void} actions.speed
 */
export function createMenus(actions) {
  const captions = createMenu({
    label: "Subtitles",
    iconName: "captions",
    onChoose: actions.text,
  });
  const sound = createMenu({
    label: "Sound",
    iconName: "sound",
    onChoose: actions.audio,
  });
  const speed = createMenu({ label: "Speed", onChoose: actions.speed });
  const quality = createMenu({
    label: "Quality",
    iconName: "quality",
    onChoose: actions.level,
  });
  const all = [captions, sound, speed, quality];
  for (const menu of [captions, sound, quality]) menu.element.hidden = true;

  return {
    elements: all.map(({ element }) => element),
    isOpen: () => all.some((menu) => menu.isOpen()),
    /** @param {number} value */
    showSpeed(value) {
      const choices = SPEEDS.map((each) => ({
        value: each,
        label: each === 1 ? "Normal" : speedWords(each),
      }));
      speed.show(choices, value, speedWords(value));
    },
    /** @param {Track[]} texts @param {number} chosen -1 is none */
    showTexts(texts, chosen) {
      captions.element.hidden = texts.length === 0;
      captions.element.toggleAttribute("data-on", chosen >= 0);
      const choices = [{ value: -1, label: "Off" }, ...choicesOf(texts)];
      captions.show(choices, chosen, nameAt(texts, chosen) ?? "Off");
    },
    /** @param {Track[]} audios @param {number} chosen */
    showAudios(audios, chosen) {
      sound.element.hidden = audios.length < 2;
      sound.show(choicesOf(audios), chosen, nameAt(audios, chosen) ?? "");
    },
    /**
     * @param {Level[]} levels highest first
     * @param {number} chosen -1 is Auto
     * @param {Level | null} playing
     */
    showLevels(levels, chosen, playing) {
      quality.element.hidden = levels.length === 0;
      const auto = playing && chosen === -1 ? playing.name : "";
      const choices = levels.map(({ index, name, bitrate_bps }) => ({
        value: index,
        label: name,
        note: rateWords(bitrate_bps),
      }));
      quality.show(
        [{ value: -1, label: "Auto", note: auto }, ...choices],
        chosen,
        nameAt(levels, chosen) ?? (auto ? `Auto · ${auto}` : "Auto"),
      );
    },
    destroy() {
      for (const menu of all) menu.destroy();
    },
  };
}
