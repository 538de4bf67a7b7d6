// The stage shows one of four things: nothing yet, how far the video is, the player, or why not.
import { createPlayer } from "../../player/player.js";
import { find, say, setLevel } from "../dom.js";
import { reasonWords } from "../reasons.js";

/** @import { Video } from "../types.js" */
/** @import { Level } from "../../player/levels.js" */
/** @import { Player } from "../../player/player.js" */

/**
 * @param {object} options
 * @param {HTMLElement} options.element
 * @param {number | undefined} options.start_s where to begin; default: where it was left
 * @param {boolean} [options.autoplay]
 * @param {boolean} [options.muted]
 * @param {(level: Level | null) => void} [options.onLevel]
 * @param {(player: Player) => void} [options.onPlayer]
 * @param {() => void} options.onRetry
 */
export function createStage({ element, onRetry, onPlayer, ...wishes }) {
  const controller = new AbortController();
  const loading = find(element, "#loading", HTMLElement);
  const waiting = find(element, "#waiting", HTMLElement);
  const message = find(element, "#message", HTMLElement);
  const retry = find(element, "#message-retry", HTMLButtonElement);
  const reading = find(element, "#waiting-reading", HTMLElement);
  /** @type {Player | null} */
  let player = null;
  /** Somebody looked at the gauge: the player then starts by itself. */
  let waited = false;

  retry.addEventListener("click", onRetry, { signal: controller.signal });

  /** @param {HTMLElement | null} which */
  function only(which) {
    for (const part of [loading, waiting, message])
      part.hidden = part !== which;
  }

  /** @param {Video} video */
  function showWaiting(video) {
    only(waiting);
    waited = true;
    const working = video.status === "processing";
    const percent = video.percent ?? 0;
    say(
      find(waiting, "#waiting-title", HTMLElement),
      working ? "Transcoding" : "Waiting for its turn",
    );
    say(
      find(waiting, "#waiting-text", HTMLElement),
      "Playback starts here by itself, as soon as the beginning of the video is ready.",
    );
    find(waiting, "#waiting-percent", HTMLElement).textContent = String(
      Math.floor(percent),
    );
    reading.hidden = !working;
    waiting.toggleAttribute("data-still", !working);
    setLevel(waiting, percent / 100);
  }

  /** @param {string} title @param {string} text @param {{ again?: boolean }} [options] */
  function showMessage(title, text, { again = false } = {}) {
    player?.destroy();
    player = null;
    only(message);
    say(find(message, "#message-title", HTMLElement), title);
    say(find(message, "#message-text", HTMLElement), text);
    retry.hidden = !again;
  }

  /** @param {Video} video @param {string} src */
  function showPlayer(video, src) {
    only(null);
    if (player) {
      // Both may have become known since.
      player.setStoryboard(video.storyboard_url);
      if (video.duration_s) player.setDuration(video.duration_s);
      return;
    }
    player = createPlayer({
      src,
      title: video.title,
      poster: video.poster_url ?? null,
      storyboard: video.storyboard_url ?? null,
      duration_s: video.duration_s ?? null,
      resumeKey: video.id,
      keyTarget: document,
      ...wishes,
      autoplay: waited || wishes.autoplay === true,
    });
    element.append(player.element);
    onPlayer?.(player);
  }

  return {
    element,
    showMessage,
    /** @param {Video} video */
    show(video) {
      if (video.status === "failed" && !video.playable)
        showMessage("This video failed", reasonWords(video.reason));
      else if (
        video.hls_url &&
        (video.playable || video.status === "completed")
      )
        showPlayer(video, video.hls_url);
      else if (video.status === "cancelled" || video.status === "deleting")
        showMessage("This video is gone", "It was cancelled or deleted.");
      else showWaiting(video);
    },
    hasPlayer: () => player !== null,
    destroy() {
      controller.abort();
      player?.destroy();
    },
  };
}
