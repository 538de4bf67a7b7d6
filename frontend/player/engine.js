// Feeds a <video> from an HLS playlist: hls.js where there are Media Source Extensions, the
// browser's own HLS elsewhere. Knows nothing of controls.
import Hls from "../vendor/hls/hls.min.mjs";
import { troubleOfStatus } from "./messages.js";
import { allowWorker } from "./trusted.js";

/** @import { Trouble } from "./messages.js" */
/** @import { ErrorData, HlsConfig } from "hls.js" */

/**
 * @typedef {object} Level
 * @property {number} index as hls.js counts; -1 is Auto
 * @property {string} name "720p"
 * @property {number} width
 * @property {number} height
 * @property {number} bitrate_bps
 *
 * @typedef {object} Text
 * @property {number} index as hls.js counts; -1 is none
 * @property {string} name "English"
 *
 * @typedef {object} EngineEvents
 * @property {() => void} onLevels the list of levels is known, or has changed
 * @property {(playing: Level | null) => void} onLevel another level is on the screen
 * @property {() => void} onTexts the list of subtitles or the chosen one has changed
 * @property {(trouble: Trouble) => void} onTrouble playback cannot go on by itself
 * @property {() => void} onRecovered it goes on again
 *
 * @typedef {ReturnType<typeof createHlsEngine> | ReturnType<typeof createNativeEngine>} Engine
 */

const RETRIES = 4;
const RETRY_MS = 400;
const MEDIA_RECOVERIES = 2;
/** After hls.js has given up on a server, it is started again and again at this pace. */
const AGAIN_MS = 5000;

/** Segments are asked for again with growing pauses; then the person is told. */
/** @type {Partial<HlsConfig>} */
const PATIENCE = {
  fragLoadPolicy: {
    default: {
      maxTimeToFirstByteMs: 10_000,
      maxLoadTimeMs: 120_000,
      timeoutRetry: { maxNumRetry: 4, retryDelayMs: 0, maxRetryDelayMs: 0 },
      errorRetry: {
        maxNumRetry: RETRIES,
        retryDelayMs: RETRY_MS,
        maxRetryDelayMs: 3000,
      },
    },
  },
};

/** @param {{ width: number, height: number }} level */
const nameOf = ({ width, height }) =>
  width && height ? `${Math.min(width, height)}p` : "Original";

/** @param {string} tag */
function languageName(tag) {
  try {
    const names = new Intl.DisplayNames(navigator.languages, {
      type: "language",
    });
    return names.of(tag) ?? tag;
  } catch {
    return tag; // of a form that browsers do not know
  }
}

/**
 * @param {HTMLVideoElement} video
 * @param {{ src: string, start_s: number, workerUrl: string }} options
 * @param {EngineEvents} events
 */
function createHlsEngine(video, { src, start_s, workerUrl }, events) {
  allowWorker(workerUrl);
  const hls = new Hls({
    ...PATIENCE,
    workerPath: workerUrl,
    // A growing video is no live show: it starts at its beginning, and nobody is dragged along.
    startPosition: start_s,
    liveDurationInfinity: false,
    capLevelToPlayerSize: true,
    backBufferLength: 60,
  });
  let recoveries = 0;
  let troubled = false;

  /**
   * A picture that is offered with stereo and with surround sound is one level here: the one of
   * fewer bits.
   * @param {number} index
   */
  const pictureOf = (index) => {
    const level = hls.levels[index];
    return level && `${level.width}x${level.height} ${level.videoCodec}`;
  };

  /** @returns {Level[]} highest first */
  const levels = () =>
    hls.levels
      .map((level, index) => ({
        index,
        name: nameOf(level),
        width: level.width,
        height: level.height,
        bitrate_bps: level.maxBitrate,
      }))
      .filter(({ index, bitrate_bps }) =>
        hls.levels.every(
          (other, at) =>
            pictureOf(at) !== pictureOf(index) ||
            other.maxBitrate >= bitrate_bps,
        ),
      )
      .sort((a, b) => b.bitrate_bps - a.bitrate_bps);

  const playing = () => {
    const current = pictureOf(hls.currentLevel);
    return levels().find(({ index }) => pictureOf(index) === current) ?? null;
  };

  /** @returns {Text[]} */
  const texts = () =>
    hls.subtitleTracks.map(({ name, lang }, index) => ({
      index,
      name: lang ? name.replace(lang, languageName(lang)) : name,
    }));

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retryTimer;

  function retry() {
    clearTimeout(retryTimer);
    recoveries = 0;
    if (hls.levels.length === 0) hls.loadSource(src);
    else hls.startLoad(video.currentTime);
  }

  /** @param {Trouble} trouble */
  function fail(trouble) {
    troubled = true;
    events.onTrouble(trouble);
    // These pass by themselves; the message stays until a segment has arrived.
    if (trouble === "network" || trouble === "server")
      retryTimer = setTimeout(retry, AGAIN_MS);
  }

  /** @param {ErrorData} data */
  function onFatal(data) {
    if (data.type === Hls.ErrorTypes.NETWORK_ERROR) {
      fail(troubleOfStatus(data.response?.code));
      return;
    }
    if (
      data.type === Hls.ErrorTypes.MEDIA_ERROR &&
      recoveries < MEDIA_RECOVERIES
    ) {
      recoveries += 1;
      hls.recoverMediaError();
      return;
    }
    fail(data.type === Hls.ErrorTypes.MEDIA_ERROR ? "decode" : "unknown");
  }

  hls.on(Hls.Events.MANIFEST_PARSED, () => events.onLevels());
  hls.on(Hls.Events.LEVELS_UPDATED, () => events.onLevels());
  hls.on(Hls.Events.SUBTITLE_TRACKS_UPDATED, () => events.onTexts());
  hls.on(Hls.Events.SUBTITLE_TRACK_SWITCH, () => events.onTexts());
  hls.on(Hls.Events.LEVEL_SWITCHED, () => events.onLevel(playing()));
  hls.on(Hls.Events.FRAG_BUFFERED, () => {
    recoveries = 0;
    if (!troubled) return;
    troubled = false;
    events.onRecovered();
  });
  hls.on(Hls.Events.ERROR, (_event, data) => data.fatal && onFatal(data));
  hls.loadSource(src);
  hls.attachMedia(video);

  return {
    levels,
    playing,
    /** @returns {number} -1 is Auto */
    chosen: () => (hls.autoLevelEnabled ? -1 : hls.manualLevel),
    /** @param {number} index -1 for Auto */
    choose(index) {
      // What is on the screen stays; from the next segment on it is the new level.
      hls.nextLevel = index;
      events.onLevel(playing());
    },
    texts,
    /** @returns {number} -1 is none */
    chosenText: () => hls.subtitleTrack,
    /** @param {number} index -1 for none */
    chooseText(index) {
      hls.subtitleDisplay = index >= 0;
      hls.subtitleTrack = index;
    },
    retry,
    destroy() {
      clearTimeout(retryTimer);
      hls.destroy();
    },
  };
}

/**
 * @param {HTMLVideoElement} video
 * @param {{ src: string, start_s: number }} options
 * @param {EngineEvents} events
 */
function createNativeEngine(video, { src, start_s }, events) {
  const controller = new AbortController();
  const { signal } = controller;
  const load = () => {
    video.src = src;
    video.addEventListener(
      "loadedmetadata",
      () => {
        if (start_s > 0) video.currentTime = start_s;
        events.onRecovered();
      },
      { once: true, signal },
    );
  };
  video.addEventListener(
    "error",
    () => {
      const code = video.error?.code;
      if (code === MediaError.MEDIA_ERR_NETWORK) events.onTrouble("network");
      else if (code === MediaError.MEDIA_ERR_DECODE) events.onTrouble("decode");
      else events.onTrouble("missing");
    },
    { signal },
  );
  load();
  return {
    /** The browser chooses by itself and tells nobody. */
    levels: () => /** @type {Level[]} */ ([]),
    playing: () => null,
    chosen: () => -1,
    choose: () => {},
    texts: () => /** @type {Text[]} */ ([]),
    chosenText: () => -1,
    chooseText: () => {},
    retry: load,
    destroy() {
      controller.abort();
      video.removeAttribute("src");
      video.load();
    },
  };
}

/**
 * @param {HTMLVideoElement} video
 * @param {{ src: string, start_s: number, workerUrl: string }} options
 * @param {EngineEvents} events
 * @returns {Engine | null} null when this browser can play no HLS; `onTrouble` has been told
 */
export function createEngine(video, options, events) {
  if (Hls.isSupported()) return createHlsEngine(video, options, events);
  if (video.canPlayType("application/vnd.apple.mpegurl"))
    return createNativeEngine(video, options, events);
  events.onTrouble("unsupported");
  return null;
}
