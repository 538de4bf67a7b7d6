// What is said when loading fails, and when: as long as there is something to play, a line; a
// message over the whole picture only where it stands still.
import { MESSAGES } from "./messages.js";

/** @import { Overlay } from "./overlay.js" */
/** @import { Trouble } from "./messages.js" */

/** Less than this ahead of the playhead is as good as nothing. */
const NOTHING_S = 0.3;
/** A first failure behind so much of a buffer is not worth a word. */
const PLENTY_S = 4;

/** Of loading: what is loaded already can be played on. */
/** @type {ReadonlySet<Trouble>} */
const OF_LOADING = new Set([
  "offline",
  "network",
  "slow",
  "server",
  "missing",
  "forbidden",
]);

/** @param {HTMLVideoElement} video @returns {number} seconds that can be played from here */
export function bufferAhead({ buffered, currentTime }) {
  for (let i = 0; i < buffered.length; i += 1)
    if (
      buffered.start(i) <= currentTime + 0.1 &&
      currentTime <= buffered.end(i)
    )
      return buffered.end(i) - currentTime;
  return 0;
}

/**
 * @param {HTMLVideoElement} video
 * @param {Overlay} overlay
 * @param {{ growing: () => boolean, signal: AbortSignal }} options
 */
export function createFailures(video, overlay, { growing, signal }) {
  /** @type {Trouble | null} */
  let pending = null;

  function onStill() {
    if (bufferAhead(video) > NOTHING_S) return;
    if (pending) overlay.showTrouble(pending);
    else if (growing() && !video.seeking)
      overlay.setLine("The next part is still being transcoded");
  }
  for (const event of ["waiting", "seeking"])
    video.addEventListener(event, onStill, { signal });
  const onPlaying = () => {
    if (!pending) overlay.setLine("");
  };
  video.addEventListener("playing", onPlaying, { signal });

  return {
    /** @param {Trouble} trouble @param {number} attempt from 1 */
    onSetback(trouble, attempt) {
      // It is tried again for as long as that lasts.
      if (trouble === "offline" && bufferAhead(video) <= NOTHING_S) {
        pending = trouble;
        overlay.showTrouble(trouble);
        return;
      }
      if (pending || (attempt === 1 && bufferAhead(video) > PLENTY_S)) return;
      const again = attempt > 1 ? `, attempt ${attempt + 1}` : "";
      overlay.setLine(`${MESSAGES[trouble].brief}: trying again${again}`);
    },
    /** @param {Trouble} trouble */
    onTrouble(trouble) {
      pending = trouble;
      if (OF_LOADING.has(trouble) && bufferAhead(video) > NOTHING_S)
        overlay.setLine(`${MESSAGES[trouble].brief}: playing what is here`);
      else overlay.showTrouble(trouble);
    },
    onRecovered() {
      pending = null;
      overlay.setLine("");
      overlay.showTrouble(null);
    },
  };
}
