// hls.js: loading, levels, sounds, subtitles, recovery.
import Hls from "./vendor/hls/hls.min.mjs";
import { trackName } from "./languages.js";
import { levelsOf } from "./levels.js";
import { PASSING, troubleOfRequest } from "./messages.js";
import { allowWorker } from "./trusted.js";

/** @import { Engine, EngineEvents, EngineOptions } from "./engine.js" */
/** @import { Level } from "./levels.js" */
/** @import { Trouble } from "./messages.js" */
/** @import { ErrorData, HlsConfig } from "hls.js" */

const RETRIES = 4;
const RETRY_MS = 400;
const MEDIA_RECOVERIES = 2;
/** After hls.js has given up on a server, it is started again and again, ever more seldom. */
const AGAIN_MS = 2000;
const AGAIN_AT_MOST_MS = 15_000;

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

/** @param {EngineOptions} options */
function createHls({ start_s, workerUrl }) {
  allowWorker(workerUrl);
  return new Hls({
    ...PATIENCE,
    workerPath: workerUrl,
    // A growing video is no live show: it starts at its beginning, and nobody is dragged along.
    startPosition: start_s,
    liveDurationInfinity: false,
    // Advertisements put in by a playlist: not ours, and they hold back what has not grown yet.
    enableInterstitialPlayback: false,
    capLevelToPlayerSize: true,
    // Not minutes ahead: who leaves has not made the server send what nobody sees.
    maxMaxBufferLength: 60,
    backBufferLength: 60,
  });
}

/**
 * @param {Hls} hls
 * @param {EngineEvents} events
 */
function createLevels(hls, events) {
  let switches = -1;
  /** @returns {Level[]} */
  const levels = () => levelsOf(hls.levels);
  /** @returns {Level | null} */
  const playing = () => {
    const uri = hls.levels[hls.currentLevel]?.uri;
    const level = levels().find(({ index }) => hls.levels[index]?.uri === uri);
    return level ?? null;
  };
  hls.on(Hls.Events.MANIFEST_PARSED, () => events.onLevels());
  hls.on(Hls.Events.LEVELS_UPDATED, () => events.onLevels());
  hls.on(Hls.Events.LEVEL_SWITCHED, () => {
    switches += 1;
    events.onLevel(playing());
  });
  return {
    levels,
    playing,
    chosen: () => (hls.autoLevelEnabled ? -1 : hls.manualLevel),
    /** @param {number} index -1 for Auto */
    choose(index) {
      // Auto keeps all that is loaded. A level that was asked for is to be seen soon: what is on
      // the screen stays, from the next segment on it is the new one. Neither stops the picture.
      if (index < 0) hls.loadLevel = -1;
      else hls.nextLevel = index;
      events.onLevel(playing());
    },
    switches: () => Math.max(0, switches),
  };
}

/**
 * @param {Hls} hls
 * @param {EngineEvents} events
 */
function createTracks(hls, events) {
  hls.on(Hls.Events.SUBTITLE_TRACKS_UPDATED, () => events.onTexts());
  hls.on(Hls.Events.SUBTITLE_TRACK_SWITCH, () => events.onTexts());
  hls.on(Hls.Events.AUDIO_TRACKS_UPDATED, () => events.onAudios());
  hls.on(Hls.Events.AUDIO_TRACK_SWITCHING, () => events.onAudios());
  /** @param {readonly { name: string, lang?: string | undefined }[]} tracks */
  const named = (tracks) =>
    tracks.map((track, index) => ({ index, name: trackName(track) }));
  return {
    texts: () => named(hls.subtitleTracks),
    chosenText: () => hls.subtitleTrack,
    /** @param {number} index -1 for none */
    chooseText(index) {
      hls.subtitleDisplay = index >= 0;
      hls.subtitleTrack = index;
    },
    audios: () => named(hls.audioTracks),
    chosenAudio: () => hls.audioTrack,
    /** @param {number} index */
    chooseAudio(index) {
      hls.audioTrack = index;
    },
  };
}

/** @param {ErrorData} data */
const troubleOf = (data) =>
  troubleOfRequest({
    details: data.details,
    status: data.response?.code,
    online: navigator.onLine,
  });

/**
 * @param {Hls} hls
 * @param {{ video: HTMLVideoElement, src: string, events: EngineEvents }} context
 */
function createRecovery(hls, { video, src, events }) {
  const controller = new AbortController();
  let recoveries = 0;
  let setbacks = 0;
  let again_ms = AGAIN_MS;
  /** @type {Trouble | null} */
  let trouble = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function retry() {
    clearTimeout(timer);
    if (hls.levels.length === 0) hls.loadSource(src);
    else hls.startLoad(video.currentTime);
  }

  /** @param {Trouble} kind */
  function fail(kind) {
    trouble = kind;
    events.onTrouble(kind);
    clearTimeout(timer);
    // The message stays until a segment has arrived.
    if (!PASSING.has(kind)) return;
    timer = setTimeout(retry, again_ms);
    again_ms = Math.min(again_ms * 2, AGAIN_AT_MOST_MS);
  }

  /** @param {ErrorData} data */
  function onFatal(data) {
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR) {
      if (/codec/i.test(data.details)) return fail("codec");
      if (recoveries >= MEDIA_RECOVERIES) return fail("decode");
      recoveries += 1;
      events.onSetback("decode", recoveries);
      return hls.recoverMediaError();
    }
    const request = data.type === Hls.ErrorTypes.NETWORK_ERROR;
    return fail(request ? troubleOf(data) : "unknown");
  }

  hls.on(Hls.Events.ERROR, (_event, data) => {
    if (data.fatal) return onFatal(data);
    if (data.type !== Hls.ErrorTypes.NETWORK_ERROR) return;
    setbacks += 1;
    events.onSetback(troubleOf(data), setbacks);
  });
  hls.on(Hls.Events.FRAG_BUFFERED, () => {
    recoveries = 0;
    if (!trouble && setbacks === 0) return;
    trouble = null;
    setbacks = 0;
    again_ms = AGAIN_MS;
    clearTimeout(timer);
    events.onRecovered();
  });
  const onOnline = () => {
    if (trouble || setbacks > 0) retry();
  };
  window.addEventListener("online", onOnline, { signal: controller.signal });
  return {
    retry() {
      recoveries = 0;
      retry();
    },
    destroy() {
      clearTimeout(timer);
      controller.abort();
    },
  };
}

/**
 * @param {Hls} hls
 * @param {string} src
 * @param {EngineEvents} events
 */
function createGrowth(hls, src, events) {
  let growing = false;
  hls.on(Hls.Events.LEVEL_LOADED, (_event, { details }) => {
    const ended = growing && !details.live;
    growing = details.live;
    if (ended) events.onComplete();
  });
  // A place that is not there yet would be waited for, for who knows how long.
  hls.once(Hls.Events.LEVEL_LOADED, (_event, { details }) => {
    if (!details.live || hls.config.startPosition < details.edge) return;
    hls.config.startPosition = 0;
    queueMicrotask(() => hls.loadSource(src));
  });
  return { growing: () => growing };
}

/** @param {Hls} hls */
function createMeter(hls) {
  /** @type {number | null} */
  let bitrate_bps = null;
  hls.on(Hls.Events.FRAG_CHANGED, (_event, { frag }) => {
    const bytes = frag.stats.total || frag.stats.loaded;
    if (frag.type === "main" && bytes > 0 && frag.duration > 0)
      bitrate_bps = (bytes * 8) / frag.duration;
  });
  return {
    bitrate_bps: () => bitrate_bps,
    bandwidth_bps: () =>
      Number.isFinite(hls.bandwidthEstimate) ? hls.bandwidthEstimate : null,
  };
}

/**
 * @param {HTMLVideoElement} video
 * @param {EngineOptions} options
 * @param {EngineEvents} events
 * @returns {Engine}
 */
export function createHlsEngine(video, options, events) {
  const { src } = options;
  const hls = createHls(options);
  const { switches, ...levels } = createLevels(hls, events);
  const tracks = createTracks(hls, events);
  const recovery = createRecovery(hls, { video, src, events });
  const { growing } = createGrowth(hls, src, events);
  const meter = createMeter(hls);
  hls.loadSource(src);
  hls.attachMedia(video);
  return {
    ...levels,
    ...tracks,
    facts: () => ({
      engine: `hls.js ${Hls.version}`,
      bandwidth_bps: meter.bandwidth_bps(),
      bitrate_bps: meter.bitrate_bps(),
      growing: growing(),
      switches: switches(),
    }),
    retry: recovery.retry,
    destroy() {
      recovery.destroy();
      hls.destroy();
    },
  };
}
