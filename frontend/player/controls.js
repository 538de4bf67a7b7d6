// The control bar. It shows what the <video> says and asks `actions` for everything else.
import { build, clock } from "./build.js";
import { icon } from "./icons.js";
import { createMenu } from "./menu.js";

/** @import { IconName } from "./icons.js" */
/** @import { Level, Text } from "./engine.js" */

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/** @param {number} speed */
export const speedWords = (speed) => `${speed}×`;

/**
 * @typedef {object} Actions
 * @property {() => void} toggle
 * @property {() => void} mute
 * @property {(volume: number) => void} volume 0…1
 * @property {(index: number) => void} level -1 for Auto
 * @property {(index: number) => void} text -1 for none
 * @property {(speed: number) => void} speed
 * @property {() => void} fullscreen
 * @property {() => void} help
 */

/**
 * @param {HTMLElement} parent
 * @param {IconName} name
 * @param {string} label
 * @param {() => void} onClick
 * @param {AbortSignal} signal
 */
function addButton(parent, name, label, onClick, signal) {
  const button = build("button", "mr-button", { type: "button" }, icon(name));
  button.addEventListener("click", onClick, { signal });
  parent.append(button);
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

/** @param {HTMLVideoElement} video @param {Actions} actions @param {AbortSignal} signal */
function createVolume(video, actions, signal) {
  const element = build("div", "mr-volume");
  const mute = addButton(element, "volume", "Mute", actions.mute, signal);
  const slider = build("input", "mr-volume__slider", {
    type: "range",
    min: "0",
    max: "1",
    step: "0.05",
    "aria-label": "Volume",
  });
  slider.addEventListener("input", () => actions.volume(slider.valueAsNumber), {
    signal,
  });
  element.append(slider);
  const show = () => {
    const silent = video.muted || video.volume === 0;
    mute.show(silent ? "muted" : "volume", silent ? "Unmute (M)" : "Mute (M)");
    slider.value = String(silent ? 0 : video.volume);
    slider.style.setProperty("--at", slider.value);
    slider.setAttribute(
      "aria-valuetext",
      silent ? "muted" : `${Math.round(video.volume * 100)} %`,
    );
  };
  video.addEventListener("volumechange", show, { signal });
  show();
  return element;
}

/**
 * @param {object} options
 * @param {HTMLVideoElement} options.video
 * @param {HTMLElement} options.scrubber
 * @param {() => number} options.total seconds of the whole video
 * @param {Actions} options.actions
 */
export function createControls({ video, scrubber, total, actions }) {
  const controller = new AbortController();
  const { signal } = controller;
  const row = build("div", "mr-controls__row");
  const element = build("div", "mr-controls", {}, scrubber, row);

  const play = addButton(row, "play", "Play (K)", actions.toggle, signal);
  row.append(createVolume(video, actions, signal));
  const time = build("span", "mr-time");
  row.append(time, build("span", "mr-spring"));
  const speed = createMenu({ label: "Speed", onChoose: actions.speed });
  const quality = createMenu({
    label: "Quality",
    iconName: "quality",
    onChoose: actions.level,
  });
  const captions = createMenu({
    label: "Subtitles",
    iconName: "captions",
    onChoose: actions.text,
  });
  row.append(captions.element, speed.element, quality.element);
  const help = addButton(
    row,
    "help",
    "Keyboard shortcuts (?)",
    actions.help,
    signal,
  );
  help.button.classList.add("mr-button--wide-only");
  const full = addButton(
    row,
    "fullscreen",
    "Full screen (F)",
    actions.fullscreen,
    signal,
  );

  function showPlay() {
    if (video.ended) play.show("replay", "Play again (K)");
    else if (video.paused) play.show("play", "Play (K)");
    else play.show("pause", "Pause (K)");
  }
  const showTime = () => {
    time.textContent = `${clock(video.currentTime)} / ${clock(total())}`;
  };
  const showSpeed = () =>
    speed.show(
      SPEEDS.map((value) => ({
        value,
        label: value === 1 ? "Normal" : speedWords(value),
      })),
      video.playbackRate,
      speedWords(video.playbackRate),
    );
  const showFull = () =>
    document.fullscreenElement?.contains(element)
      ? full.show("windowed", "Leave full screen (F)")
      : full.show("fullscreen", "Full screen (F)");

  for (const event of ["play", "pause", "ended", "seeked"])
    video.addEventListener(event, showPlay, { signal });
  for (const event of ["timeupdate", "durationchange", "seeking"])
    video.addEventListener(event, showTime, { signal });
  video.addEventListener("ratechange", showSpeed, { signal });
  document.addEventListener("fullscreenchange", showFull, { signal });
  showPlay();
  showTime();
  showSpeed();
  quality.element.hidden = true;
  captions.element.hidden = true;

  return {
    element,
    menuIsOpen: () => [captions, speed, quality].some((menu) => menu.isOpen()),
    /**
     * @param {Text[]} texts
     * @param {number} chosen -1 is none
     */
    showTexts(texts, chosen) {
      captions.element.hidden = texts.length === 0;
      const shown = texts.find(({ index }) => index === chosen);
      captions.show(
        [
          { value: -1, label: "Off" },
          ...texts.map(({ index, name }) => ({ value: index, label: name })),
        ],
        chosen,
        shown ? shown.name : "Off",
      );
    },
    /**
     * @param {Level[]} levels highest first
     * @param {number} chosen -1 is Auto
     * @param {Level | null} playing
     */
    showLevels(levels, chosen, playing) {
      quality.element.hidden = levels.length === 0;
      const auto = playing && chosen === -1 ? playing.name : "";
      const manual = levels.find(({ index }) => index === chosen);
      quality.show(
        [
          { value: -1, label: "Auto", note: auto },
          ...levels.map(({ index, name, bitrate_bps }) => ({
            value: index,
            label: name,
            note: `${(bitrate_bps / 1e6).toFixed(1)} Mb/s`,
          })),
        ],
        chosen,
        manual ? manual.name : auto ? `Auto · ${auto}` : "Auto",
      );
    },
    destroy() {
      controller.abort();
      captions.destroy();
      speed.destroy();
      quality.destroy();
    },
  };
}
