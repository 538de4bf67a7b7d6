// The player: one element with a picture, controls, shortcuts and plain words when things fail.
import { createActions, createObedience } from "./actions.js";
import { build } from "./build.js";
import { createControls } from "./controls.js";
import { createEngine } from "./engine.js";
import { bufferAhead, createFailures } from "./failures.js";
import { hideWhenIdle } from "./idle.js";
import { commandFor, focusOf } from "./keyboard.js";
import { joinMediaSession } from "./media-session.js";
import { createMemory, deviceStorage } from "./memory.js";
import { createOverlay } from "./overlay.js";
import { keepPlace } from "./resume.js";
import { createScrubber } from "./scrubber.js";
import { createStoryboard } from "./storyboard.js";

/** @import { Engine, EngineEvents } from "./engine.js" */
/** @import { Level } from "./levels.js" */
/** @import { Storyboard } from "./storyboard.js" */

const WORKER = new URL("./vendor/hls/hls.worker.js", import.meta.url).href;

/**
 * @typedef {object} PlayerOptions
 * @property {string} src URL of the multivariant playlist
 * @property {string} title
 * @property {string | null} [poster]
 * @property {string | null} [storyboard] URL of a WebVTT track of small pictures
 * @property {number | null} [duration_s] of the whole video, if it is still growing
 * @property {number | undefined} [start_s] default: where it was left, else the beginning
 * @property {string | undefined} [resumeKey] names the video on this device; its place is kept then
 * @property {boolean} [autoplay] where the browser allows it
 * @property {boolean} [muted]
 * @property {HTMLElement | Document} [keyTarget] default: the player itself
 * @property {string} [workerUrl]
 * @property {(playing: Level | null) => void} [onLevel]
 *
 * @typedef {ReturnType<typeof createPlayer>} Player
 */

/** @param {PlayerOptions} options */
function createVideo({ poster, muted = false }) {
  const video = build("video", "mr-video", {
    playsinline: "",
    preload: "auto",
  });
  if (poster) video.poster = poster;
  video.muted = muted;
  return video;
}

/** @param {HTMLVideoElement} video @param {ReturnType<typeof createOverlay>} overlay @param {AbortSignal} signal */
function showWaiting(video, overlay, signal) {
  for (const event of ["waiting", "seeking"])
    video.addEventListener(
      event,
      () => overlay.setWaiting(!video.paused || video.seeking),
      { signal },
    );
  for (const event of ["playing", "canplay", "seeked", "pause", "error"])
    video.addEventListener(event, () => overlay.setWaiting(false), { signal });
}

/** @param {PlayerOptions} options */
export function createPlayer(options) {
  const controller = new AbortController();
  const { signal } = controller;
  const video = createVideo(options);
  const memory = createMemory(deviceStorage());
  /** @type {Engine | null} */
  let engine = null;
  /** @type {Storyboard | null} */
  let storyboard = null;
  let duration_s = options.duration_s ?? 0;

  const available = () =>
    Number.isFinite(video.duration) ? video.duration : seekableEnd(video);
  /** The length known from elsewhere counts while the playlist still grows. */
  const total = () => Math.max(duration_s, available());

  const overlay = createOverlay({
    onStart() {
      actions.play();
      element.focus();
    },
    onRetry() {
      overlay.showTrouble(null);
      overlay.setWaiting(true);
      engine?.retry();
    },
    onFromStart: () => actions.seek(0),
    onStatsClosed: () => element.focus(),
    read: () => ({
      level: engine?.playing() ?? null,
      auto: engine?.chosen() === -1,
      facts: engine?.facts() ?? null,
      buffer_s: bufferAhead(video),
      droppedFrames: video.getVideoPlaybackQuality().droppedVideoFrames,
      totalFrames: video.getVideoPlaybackQuality().totalVideoFrames,
      shownWidth: video.clientWidth,
      shownHeight: video.clientHeight,
      speed: video.playbackRate,
    }),
  });
  const stage = {
    video,
    element: () => element,
    engine: () => engine,
    overlay,
    total,
    available,
  };
  const actions = createActions(stage);
  const scrubber = createScrubber(video, {
    total,
    available,
    onSeek: actions.seek,
    storyboard: () => storyboard,
  });
  const controls = createControls({
    video,
    scrubber: scrubber.element,
    total,
    actions: {
      ...actions,
      level(index) {
        actions.level(index);
        showLevels();
      },
    },
  });
  const { menus } = controls;
  const element = build(
    "section",
    "mr-player",
    { "aria-label": `Player: ${options.title}`, tabindex: "-1" },
    video,
    overlay.element,
    controls.element,
  );

  /** @param {string} name @param {unknown} detail */
  const tell = (name, detail) =>
    element.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  const showLevels = () =>
    engine &&
    menus.showLevels(engine.levels(), engine.chosen(), engine.playing());
  const showTexts = () =>
    engine && menus.showTexts(engine.texts(), engine.chosenText());
  const showAudios = () =>
    engine && menus.showAudios(engine.audios(), engine.chosenAudio());
  const failures = createFailures(video, overlay, {
    growing: () => engine?.facts().growing ?? false,
    signal,
  });

  /** @type {EngineEvents} */
  const events = {
    onLevels: () => showLevels(),
    onTexts: () => showTexts(),
    onAudios: () => showAudios(),
    onLevel(playing) {
      showLevels();
      options.onLevel?.(playing);
      tell("mr-level", playing);
    },
    onSetback: failures.onSetback,
    onTrouble(trouble) {
      failures.onTrouble(trouble);
      tell("mr-trouble", trouble);
    },
    onRecovered() {
      failures.onRecovered();
      tell("mr-recovered", null);
    },
    onComplete() {
      overlay.setLine("");
      tell("mr-complete", null);
    },
  };

  const obey = createObedience(stage, actions);
  const wake = hideWhenIdle(element, video, {
    busy: () =>
      menus.isOpen() || controls.element.matches(":has(:focus-visible)"),
    signal,
  });
  /** @param {Event} event */
  function onKey(event) {
    if (!(event instanceof KeyboardEvent) || event.defaultPrevented) return;
    const command = commandFor(event, focusOf(document.activeElement));
    if (!command || (overlay.helpIsOpen() && command.do !== "help")) return;
    event.preventDefault();
    wake();
    obey(command);
  }
  const keyTarget = /** @type {EventTarget} */ (options.keyTarget ?? element);
  keyTarget.addEventListener("keydown", onKey, { signal });
  video.addEventListener("click", actions.toggle, { signal });
  video.addEventListener("dblclick", actions.fullscreen, { signal });
  video.addEventListener("play", () => overlay.onPlaying(), { signal });
  showWaiting(video, overlay, signal);

  /** @param {string | null | undefined} src */
  function setStoryboard(src) {
    if (storyboard || !src) return;
    storyboard = createStoryboard(src);
  }

  const { resumeKey } = options;
  const left_s = resumeKey ? memory.position(resumeKey) : 0;
  const start_s = options.start_s ?? left_s;
  keepPlace(video, { memory, key: resumeKey, total }, signal);
  if (options.muted) video.muted = true;
  if (options.start_s === undefined && left_s > 0)
    overlay.offerFromStart(left_s);
  joinMediaSession(
    video,
    {
      title: options.title,
      poster: options.poster,
      total,
      remote: {
        play: actions.play,
        pause: () => video.pause(),
        by: (seconds) => actions.seek(video.currentTime + seconds),
        seek: actions.seek,
      },
    },
    signal,
  );
  setStoryboard(options.storyboard);
  const { src, workerUrl = WORKER } = options;
  engine = createEngine(video, { src, start_s, workerUrl }, events);
  showLevels();
  if (options.autoplay) {
    overlay.offerStart(false);
    actions.play();
  }

  return {
    element,
    video,
    play: actions.play,
    seek: actions.seek,
    /** @returns {Level[]} highest first */
    levels: () => engine?.levels() ?? [],
    /** @param {number} index -1 for Auto */
    setLevel(index) {
      actions.level(index);
      showLevels();
    },
    setStoryboard,
    /** @param {number} seconds of the whole video, when they become known */
    setDuration(seconds) {
      duration_s = seconds;
      scrubber.show();
    },
    destroy() {
      controller.abort();
      engine?.destroy();
      overlay.destroy();
      scrubber.destroy();
      controls.destroy();
      storyboard?.destroy();
      element.remove();
    },
  };
}

/** @param {HTMLVideoElement} video of a live playlist, whose duration is infinite */
const seekableEnd = ({ seekable }) =>
  seekable.length > 0 ? seekable.end(seekable.length - 1) : 0;
