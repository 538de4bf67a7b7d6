// The player: one element with a picture, controls, shortcuts and plain words when things fail.
import { build } from "./build.js";
import { createControls, SPEEDS, speedWords } from "./controls.js";
import { createEngine } from "./engine.js";
import { commandFor, focusOf } from "./keyboard.js";
import { createOverlay } from "./overlay.js";
import { createScrubber } from "./scrubber.js";

/** @import { Engine, Level } from "./engine.js" */
/** @import { Command } from "./keyboard.js" */

const HIDE_MS = 2600;
const WORKER = new URL("../vendor/hls/hls.worker.js", import.meta.url).href;
/** One frame of the most common rates; the true one is not known to the browser. */
const FRAME_S = 1 / 25;

/**
 * @typedef {object} PlayerOptions
 * @property {string} src URL of the multivariant playlist
 * @property {string} title
 * @property {string | null} [poster]
 * @property {number | null} [duration_s] of the whole video, if it is still growing
 * @property {number} [start_s]
 * @property {boolean} [autoplay] where the browser allows it
 * @property {HTMLElement | Document} [keyTarget] default: the player itself
 * @property {string} [workerUrl]
 * @property {(playing: Level | null) => void} [onLevel]
 *
 * @typedef {ReturnType<typeof createPlayer>} Player
 */

/** @param {PlayerOptions} options */
export function createPlayer(options) {
  const controller = new AbortController();
  const { signal } = controller;
  const video = build("video", "mr-video", {
    playsinline: "",
    preload: "auto",
  });
  if (options.poster) video.poster = options.poster;
  /** @type {Engine | null} */
  let engine = null;

  /** The length known from elsewhere counts while the playlist still grows. */
  const total = () => Math.max(options.duration_s ?? 0, available());
  const available = () =>
    Number.isFinite(video.duration) ? video.duration : 0;

  /** @param {number} time_s */
  function seek(time_s) {
    const last = Math.max(0, available() - 0.1);
    video.currentTime = Math.min(Math.max(0, time_s), last);
    if (time_s > last + 1) overlay.note("That part is still being transcoded");
  }

  function play() {
    // Refused when the browser wants a click first: the big button stays for that.
    video.play().catch(() => overlay.offerStart(true));
  }
  const toggle = () => (video.paused ? play() : video.pause());

  const overlay = createOverlay({
    onStart: () => {
      play();
      element.focus();
    },
    onRetry: () => {
      overlay.showTrouble(null);
      overlay.setWaiting(true);
      engine?.retry();
    },
  });
  const scrubber = createScrubber(video, { total, available, onSeek: seek });
  const actions = {
    toggle,
    mute() {
      video.muted = !video.muted;
      overlay.note(video.muted ? "Muted" : "Sound on");
    },
    /** @param {number} volume */
    volume(volume) {
      video.muted = false;
      video.volume = Math.min(1, Math.max(0, volume));
    },
    /** @param {number} index */
    level(index) {
      engine?.choose(index);
      showLevels();
    },
    /** @param {number} index */
    text(index) {
      engine?.chooseText(index);
      showTexts();
    },
    /** @param {number} speed */
    speed(speed) {
      video.playbackRate = speed;
      overlay.note(speedWords(speed));
    },
    fullscreen() {
      if (document.fullscreenElement) void document.exitFullscreen();
      else
        element
          .requestFullscreen()
          .catch(() => overlay.note("Full screen is not available here"));
    },
    help: overlay.toggleHelp,
  };
  const controls = createControls({
    video,
    scrubber: scrubber.element,
    total,
    actions,
  });
  const element = build(
    "section",
    "mr-player",
    { "aria-label": `Player: ${options.title}`, tabindex: "-1" },
    video,
    overlay.element,
    controls.element,
  );

  const showLevels = () =>
    engine &&
    controls.showLevels(engine.levels(), engine.chosen(), engine.playing());

  const showTexts = () =>
    engine && controls.showTexts(engine.texts(), engine.chosenText());

  /** @param {Command} command */
  function obey(command) {
    switch (command.do) {
      case "toggle":
        return toggle();
      case "seek":
        overlay.note(
          `${command.seconds > 0 ? "+" : "−"}${Math.abs(command.seconds)} s`,
        );
        return seek(video.currentTime + command.seconds);
      case "tenth":
        return seek((total() * command.tenth) / 10);
      case "start":
        return seek(0);
      case "end":
        return seek(available());
      case "frame":
        return video.paused
          ? seek(video.currentTime + command.by * FRAME_S)
          : undefined;
      case "volume":
        actions.volume((video.muted ? 0 : video.volume) + command.by);
        return overlay.note(`Volume ${Math.round(video.volume * 100)} %`);
      case "speed": {
        const at = SPEEDS.indexOf(video.playbackRate) + command.by;
        const speed = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at))];
        return actions.speed(speed ?? 1);
      }
      default:
        return actions[command.do]();
    }
  }

  /** @type {EventTarget} */ (options.keyTarget ?? element).addEventListener(
    "keydown",
    (event) => {
      if (!(event instanceof KeyboardEvent) || event.defaultPrevented) return;
      const command = commandFor(event, focusOf(document.activeElement));
      if (!command) return;
      event.preventDefault();
      wake();
      obey(command);
    },
    { signal },
  );

  // The controls go away while nobody needs them.
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let hideTimer;
  function wake() {
    delete element.dataset["idle"];
    clearTimeout(hideTimer);
    hideTimer = setTimeout(() => {
      const busy = video.paused || controls.menuIsOpen();
      if (!busy && !controls.element.matches(":has(:focus-visible)"))
        element.dataset["idle"] = "";
    }, HIDE_MS);
  }
  for (const event of ["pointermove", "pointerdown", "focusin"])
    element.addEventListener(event, wake, { signal });
  for (const event of ["play", "pause"])
    video.addEventListener(event, wake, { signal });

  video.addEventListener("click", toggle, { signal });
  video.addEventListener("dblclick", actions.fullscreen, { signal });
  video.addEventListener("play", () => overlay.offerStart(false), { signal });
  for (const event of ["waiting", "seeking"])
    video.addEventListener(
      event,
      () => overlay.setWaiting(!video.paused || video.seeking),
      { signal },
    );
  for (const event of ["playing", "canplay", "seeked", "pause"])
    video.addEventListener(event, () => overlay.setWaiting(false), { signal });

  engine = createEngine(
    video,
    {
      src: options.src,
      start_s: options.start_s ?? 0,
      workerUrl: options.workerUrl ?? WORKER,
    },
    {
      onLevels: showLevels,
      onTexts: showTexts,
      onLevel(playing) {
        showLevels();
        options.onLevel?.(playing);
      },
      onTrouble: (trouble) => overlay.showTrouble(trouble),
      onRecovered: () => overlay.showTrouble(null),
    },
  );
  showLevels();
  if (options.autoplay) {
    overlay.offerStart(false);
    play();
  }

  return {
    element,
    video,
    seek,
    /** @returns {Level[]} highest first */
    levels: () => engine?.levels() ?? [],
    /** @param {number} index -1 for Auto */
    setLevel: actions.level,
    destroy() {
      controller.abort();
      clearTimeout(hideTimer);
      engine?.destroy();
      overlay.destroy();
      scrubber.destroy();
      controls.destroy();
      element.remove();
    },
  };
}
