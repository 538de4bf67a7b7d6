// The browser's own HLS: it chooses the quality by itself and tells little.
import { languageName } from "./languages.js";
import { sizeName } from "./levels.js";

/** @import { Engine, EngineEvents, EngineOptions } from "./engine.js" */
/** @import { Level } from "./levels.js" */
/** @import { Trouble } from "./messages.js" */

const AGAIN_MS = 5000;

/**
 * Safari has these; the standard's types and Chromium do not.
 * @typedef {{ label: string, language: string, enabled: boolean }} Sound
 * @typedef {ArrayLike<Sound> & EventTarget} Sounds
 */

/** @param {{ label: string, language: string }} track */
const nameOf = ({ label, language }) =>
  label || (language ? languageName(language) : "Unnamed");

/**
 * @param {HTMLVideoElement} video
 * @param {EngineEvents} events
 * @param {AbortSignal} signal
 */
function createTexts(video, events, signal) {
  const all = () =>
    Array.from(video.textTracks).filter(({ kind }) =>
      ["subtitles", "captions"].includes(kind),
    );
  for (const event of ["addtrack", "removetrack", "change"])
    video.textTracks.addEventListener(event, events.onTexts, { signal });
  return {
    texts: () => all().map((track, index) => ({ index, name: nameOf(track) })),
    chosenText: () => all().findIndex(({ mode }) => mode === "showing"),
    /** @param {number} index -1 for none */
    chooseText(index) {
      for (const [at, track] of all().entries())
        track.mode = at === index ? "showing" : "disabled";
    },
  };
}

/**
 * @param {HTMLVideoElement} video
 * @param {EngineEvents} events
 * @param {AbortSignal} signal
 */
function createAudios(video, events, signal) {
  const { audioTracks } = /** @type {{ audioTracks?: Sounds }} */ (
    /** @type {unknown} */ (video)
  );
  const all = () => Array.from(audioTracks ?? []);
  for (const event of ["addtrack", "removetrack", "change"])
    audioTracks?.addEventListener(event, events.onAudios, { signal });
  return {
    audios: () => all().map((track, index) => ({ index, name: nameOf(track) })),
    chosenAudio: () => all().findIndex(({ enabled }) => enabled),
    /** @param {number} index */
    chooseAudio(index) {
      for (const [at, track] of all().entries()) track.enabled = at === index;
    },
  };
}

/** @param {MediaError | null} error @returns {Trouble} */
function troubleOf(error) {
  if (!navigator.onLine) return "offline";
  if (error?.code === MediaError.MEDIA_ERR_NETWORK) return "network";
  return error?.code === MediaError.MEDIA_ERR_DECODE ? "decode" : "absent";
}

/**
 * @param {HTMLVideoElement} video
 * @param {EngineOptions} options
 * @param {EngineEvents} events
 * @param {AbortSignal} signal
 */
function createLoading(video, { src, start_s }, events, signal) {
  let position_s = start_s;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const load = () => {
    clearTimeout(timer);
    video.src = src;
    video.load();
  };
  const onMetadata = () => {
    if (position_s > 0) video.currentTime = position_s;
    events.onRecovered();
  };
  const onError = () => {
    position_s = video.currentTime || position_s;
    const trouble = troubleOf(video.error);
    events.onTrouble(trouble);
    if (trouble === "network" || trouble === "offline")
      timer = setTimeout(load, AGAIN_MS);
  };
  video.addEventListener("loadedmetadata", onMetadata, { signal });
  video.addEventListener("error", onError, { signal });
  window.addEventListener("online", () => video.error && load(), { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  return load;
}

/**
 * @param {HTMLVideoElement} video
 * @param {EngineOptions} options
 * @param {EngineEvents} events
 * @returns {Engine}
 */
export function createNativeEngine(video, options, events) {
  const controller = new AbortController();
  const { signal } = controller;
  let switches = -1;
  let growing = false;
  /** @returns {Level | null} */
  const playing = () => {
    const { videoWidth: width, videoHeight: height } = video;
    const name = sizeName({ width, height });
    return width === 0
      ? null
      : { index: -1, name, width, height, codec: "", frameRate: 0, bitrate_bps: 0 }; // prettier-ignore
  };
  const onResize = () => {
    switches += 1;
    events.onLevel(playing());
  };
  const onDuration = () => {
    const ended = growing && Number.isFinite(video.duration);
    growing = video.duration === Infinity;
    if (ended) events.onComplete();
  };
  video.addEventListener("resize", onResize, { signal });
  video.addEventListener("durationchange", onDuration, { signal });
  const load = createLoading(video, options, events, signal);
  load();
  return {
    levels: () => [],
    playing,
    chosen: () => -1,
    choose: () => {},
    ...createTexts(video, events, signal),
    ...createAudios(video, events, signal),
    facts: () => ({
      engine: "the browser's own HLS",
      bandwidth_bps: null,
      bitrate_bps: null,
      growing,
      switches: Math.max(0, switches),
    }),
    retry: load,
    destroy() {
      controller.abort();
      video.removeAttribute("src");
      video.load();
    },
  };
}
