// What buttons, menus and keys do.
import { SPEEDS, speedWords } from "./menus.js";

/** @import { Engine } from "./engine.js" */
/** @import { Command } from "./keyboard.js" */
/** @import { Overlay } from "./overlay.js" */

/** One frame of the most common rates; the true one is not known to the browser. */
const FRAME_S = 1 / 25;

/**
 * @typedef {object} Stage
 * @property {HTMLVideoElement} video
 * @property {() => HTMLElement} element what goes to full screen
 * @property {() => Engine | null} engine
 * @property {Overlay} overlay
 * @property {() => number} total seconds of the whole video
 * @property {() => number} available seconds that can be played by now
 */

/** @param {Stage} stage */
function createScreens({ video, element, overlay }) {
  const refused = () => overlay.note("Full screen is not available here");
  return {
    fullscreen() {
      const { webkitEnterFullscreen: alone } =
        /** @type {{ webkitEnterFullscreen?: () => void }} */ (video);
      if (document.fullscreenElement) void document.exitFullscreen();
      else if (element().requestFullscreen)
        element().requestFullscreen().catch(refused);
      else if (alone)
        alone.call(video); // iPhones: the picture alone
      else refused();
    },
    pictureInPicture() {
      const change = document.pictureInPictureElement
        ? document.exitPictureInPicture()
        : video.requestPictureInPicture();
      change.catch(() =>
        overlay.note("Picture in picture is not possible now"),
      );
    },
  };
}

/** @param {Stage} stage */
function createCaptions({ engine, overlay }) {
  let last = -1;
  return () => {
    const texts = engine()?.texts() ?? [];
    const chosen = engine()?.chosenText() ?? -1;
    if (texts.length === 0) return overlay.note("There are no subtitles");
    if (chosen >= 0) {
      last = chosen;
      engine()?.chooseText(-1);
      return overlay.note("Subtitles off");
    }
    const next = texts.find(({ index }) => index === last) ?? texts[0];
    engine()?.chooseText(next?.index ?? -1);
    return overlay.note(`Subtitles: ${next?.name}`);
  };
}

/** @param {Stage} stage */
function createPlayback({ video, overlay, available }) {
  function play() {
    // Refused when the browser wants a click first: the big button stays for that.
    video.play().catch(() => overlay.offerStart(true));
  }
  /** @param {number} time_s */
  function seek(time_s) {
    const last = Math.max(0, available() - 0.1);
    video.currentTime = Math.min(Math.max(0, time_s), last);
    if (time_s > last + 1) overlay.note("That part is still being transcoded");
  }
  return {
    play,
    seek,
    toggle: () => (video.paused ? play() : video.pause()),
  };
}

/** @param {Stage} stage */
export function createActions(stage) {
  const { video, engine, overlay } = stage;
  return {
    ...createPlayback(stage),
    ...createScreens(stage),
    captions: createCaptions(stage),
    mute() {
      video.muted = !video.muted;
      overlay.note(video.muted ? "Muted" : "Sound on");
    },
    /** @param {number} volume */
    volume(volume) {
      video.muted = false;
      video.volume = Math.min(1, Math.max(0, volume));
    },
    /** @param {number} speed */
    speed(speed) {
      video.playbackRate = speed;
      overlay.note(speedWords(speed));
    },
    /** @param {number} index */
    level: (index) => engine()?.choose(index),
    /** @param {number} index */
    text: (index) => engine()?.chooseText(index),
    /** @param {number} index */
    audio: (index) => engine()?.chooseAudio(index),
    help: overlay.toggleHelp,
    stats: overlay.toggleStats,
  };
}

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof createActions>} actions
 * @returns {(command: Command) => void}
 */
export function createObedience({ video, overlay, total, available }, actions) {
  /** @param {number} by steps of the list, from the nearest speed */
  function speedBy(by) {
    const nearest = SPEEDS.findLastIndex((each) => each <= video.playbackRate);
    const at = Math.min(SPEEDS.length - 1, Math.max(0, nearest + by));
    actions.speed(SPEEDS[at] ?? 1);
  }
  /** @param {number} seconds */
  function seekBy(seconds) {
    overlay.note(`${seconds > 0 ? "+" : "−"}${Math.abs(seconds)} s`);
    actions.seek(video.currentTime + seconds);
  }
  /** @param {number} by */
  function volumeBy(by) {
    actions.volume((video.muted ? 0 : video.volume) + by);
    overlay.note(`Volume ${Math.round(video.volume * 100)} %`);
  }
  return (command) => {
    switch (command.do) {
      case "seek":
        return seekBy(command.seconds);
      case "tenth":
        return actions.seek((total() * command.tenth) / 10);
      case "start":
        return actions.seek(0);
      case "end":
        return actions.seek(available());
      case "frame":
        if (video.paused)
          actions.seek(video.currentTime + command.by * FRAME_S);
        return undefined;
      case "volume":
        return volumeBy(command.by);
      case "speed":
        return speedBy(command.by);
      default:
        return actions[command.do]();
    }
  };
}
