// The control bar. It shows what the <video> says and asks `actions` for everything else.
import { build, clock } from "./build.js";
import { createButton } from "./button.js";
import { createMenus } from "./menus.js";
import { createVolume } from "./volume.js";

/** @import { IconName } from "./icons.js" */

/**
 * @typedef {object} Actions
 * @property {() => void} toggle
 * @property {() => void} mute
 * @property {(volume: number) => void} volume 0…1
 * @property {(index: number) => void} level -1 for Auto
 * @property {(index: number) => void} text -1 for none
 * @property {(index: number) => void} audio
 * @property {(speed: number) => void} speed
 * @property {() => void} pictureInPicture
 * @property {() => void} fullscreen
 * @property {() => void} stats
 * @property {() => void} help
 *
 * @typedef {object} Bar
 * @property {HTMLVideoElement} video
 * @property {() => number} total seconds of the whole video
 * @property {Actions} actions
 * @property {AbortSignal} signal
 */

/** @param {Bar} bar */
function createPlay({ video, actions, signal }) {
  const { button, show } = createButton({
    name: "play",
    label: "Play (K)",
    onClick: actions.toggle,
    signal,
  });
  const update = () => {
    if (video.ended) show("replay", "Play again (K)");
    else if (video.paused) show("play", "Play (K)");
    else show("pause", "Pause (K)");
  };
  for (const event of ["play", "pause", "ended", "seeked"])
    video.addEventListener(event, update, { signal });
  update();
  return button;
}

/** @param {Bar} bar */
function createTime({ video, total, signal }) {
  const now = build("span", "");
  const whole = build("span", "mr-time__total");
  const update = () => {
    now.textContent = clock(video.currentTime);
    whole.textContent = ` / ${clock(total())}`;
  };
  for (const event of ["timeupdate", "durationchange", "seeking"])
    video.addEventListener(event, update, { signal });
  update();
  return build("span", "mr-time", {}, now, whole);
}

/** @param {Bar} bar */
function createPictureInPicture({ video, actions, signal }) {
  const { button, show } = createButton({
    name: "pip",
    label: "Picture in picture",
    onClick: actions.pictureInPicture,
    signal,
  });
  button.classList.add("mr-button--pip");
  button.hidden = !document.pictureInPictureEnabled;
  const update = () =>
    document.pictureInPictureElement === video
      ? show("pipBack", "Leave picture in picture")
      : show("pip", "Picture in picture");
  for (const event of ["enterpictureinpicture", "leavepictureinpicture"])
    video.addEventListener(event, update, { signal });
  return button;
}

/** @param {Bar} bar */
function createFullscreen({ video, actions, signal }) {
  const { button, show } = createButton({
    name: "fullscreen",
    label: "Full screen (F)",
    onClick: actions.fullscreen,
    signal,
  });
  const update = () =>
    document.fullscreenElement?.contains(video)
      ? show("windowed", "Leave full screen (F)")
      : show("fullscreen", "Full screen (F)");
  document.addEventListener("fullscreenchange", update, { signal });
  return button;
}

/**
 * @param {IconName} name
 * @param {string} label
 * @param {() => void} onClick
 * @param {AbortSignal} signal
 */
function createPlain(name, label, onClick, signal) {
  const { button } = createButton({ name, label, onClick, signal });
  button.classList.add(`mr-button--${name}`);
  return button;
}

/**
 * @param {object} options
 * @param {HTMLVideoElement} options.video
 * @param {HTMLElement} options.scrubber
 * @param {() => number} options.total seconds of the whole video
 * @param {Actions} options.actions
 */
export function createControls({ scrubber, ...parts }) {
  const controller = new AbortController();
  const { signal } = controller;
  const bar = { ...parts, signal };
  const { video, actions } = bar;
  const menus = createMenus(actions);
  const row = build(
    "div",
    "mr-controls__row",
    {},
    createPlay(bar),
    createVolume(video, actions, signal),
    createTime(bar),
    build("span", "mr-spring"),
    ...menus.elements,
    createPlain("stats", "Statistics (I)", actions.stats, signal),
    createPlain("help", "Keyboard shortcuts (?)", actions.help, signal),
    createPictureInPicture(bar),
    createFullscreen(bar),
  );
  const showSpeed = () => menus.showSpeed(video.playbackRate);
  video.addEventListener("ratechange", showSpeed, { signal });
  showSpeed();
  return {
    element: build("div", "mr-controls", {}, scrubber, row),
    menus,
    destroy() {
      controller.abort();
      menus.destroy();
    },
  };
}
