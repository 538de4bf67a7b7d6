// Feeds a <video> from an HLS playlist: hls.js where there are Media Source Extensions, the
// browser's own HLS elsewhere. Knows nothing of controls.
import Hls from "./vendor/hls/hls.min.mjs";
import { createHlsEngine } from "./engine-hls.js";
import { createNativeEngine } from "./engine-native.js";

/** @import { Trouble } from "./messages.js" */
/** @import { Level } from "./levels.js" */

/**
 * @typedef {object} Track subtitles or a sound
 * @property {number} index as the engine counts; -1 is none
 * @property {string} name "English"
 *
 * @typedef {object} EngineOptions
 * @property {string} src
 * @property {number} start_s
 * @property {string} workerUrl
 *
 * @typedef {object} EngineEvents
 * @property {() => void} onLevels the list of levels is known, or has changed
 * @property {(playing: Level | null) => void} onLevel another level is on the screen
 * @property {() => void} onTexts the list of subtitles or the chosen one has changed
 * @property {() => void} onAudios the list of sounds or the chosen one has changed
 * @property {(trouble: Trouble, attempt: number) => void} onSetback something failed and is tried
 *   again; `attempt` counts from 1
 * @property {(trouble: Trouble) => void} onTrouble nothing more is loaded
 * @property {() => void} onRecovered it goes on again
 * @property {() => void} onComplete a growing video has become a whole one
 *
 * @typedef {object} EngineFacts
 * @property {string} engine what plays, with its version
 * @property {number | null} bandwidth_bps what the network is thought to carry
 * @property {number | null} bitrate_bps of the segment on the screen, measured
 * @property {boolean} growing the playlist has no end yet
 * @property {number} switches how often another level came to the screen
 *
 * @typedef {object} Engine
 * @property {() => Level[]} levels highest first; none where the browser chooses by itself
 * @property {() => Level | null} playing what is on the screen
 * @property {() => number} chosen -1 is Auto
 * @property {(index: number) => void} choose -1 for Auto
 * @property {() => Track[]} texts
 * @property {() => number} chosenText -1 is none
 * @property {(index: number) => void} chooseText -1 for none
 * @property {() => Track[]} audios
 * @property {() => number} chosenAudio
 * @property {(index: number) => void} chooseAudio
 * @property {() => EngineFacts} facts
 * @property {() => void} retry
 * @property {() => void} destroy
 */

/**
 * @param {HTMLVideoElement} video
 * @param {EngineOptions} options
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
