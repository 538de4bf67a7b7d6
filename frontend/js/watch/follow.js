// Keeps a page about one video up to date until nothing changes any more.
import { ApiError, connect } from "../api.js";
import { createPoller } from "../poller.js";

/** @import { Api } from "../api.js" */
/** @import { Video } from "../types.js" */

/**
 * @typedef {object} Stage
 * @property {(title: string, text: string, options?: { again?: boolean }) => void} showMessage
 * @property {() => boolean} hasPlayer
 *
 * @typedef {object} Following
 * @property {string} id of the video; "" when the address names none
 * @property {() => string | null} token
 * @property {Stage} stage
 * @property {(api: Api) => void} [onApi] told once it is known where the API is
 * @property {(video: Video, active: boolean) => void} onVideo `active`: it is still being made
 */

/**
 * @param {unknown} error
 * @param {Stage} stage
 * @returns {boolean} whether that is the end of it
 */
function explain(error, stage) {
  if (error instanceof ApiError && error.status === 404) {
    stage.showMessage(
      "There is no such video",
      "It may have been deleted, or its file has not arrived yet.",
    );
    return true;
  }
  // What plays is not disturbed; the poller goes on by itself.
  if (!stage.hasPlayer())
    stage.showMessage(
      "Millrace cannot be reached",
      error instanceof Error ? error.message : "",
      { again: true },
    );
  return false;
}

/** @param {Following} following */
export async function follow({ id, token, stage, onApi, onVideo }) {
  if (!id) {
    stage.showMessage("Which video?", "The address names none.");
    return;
  }
  const api = await connect({ token }).catch((error) => {
    stage.showMessage("Millrace is not ready", error.message, { again: true });
    throw error;
  });
  onApi?.(api);
  const poller = createPoller({
    async poll(signal) {
      const video = await api.getVideo(id, signal);
      const active = video.status === "queued" || video.status === "processing";
      onVideo(video, active);
      if (!active) poller.destroy();
      return { active, changed: true };
    },
    onError(error) {
      if (explain(error, stage)) poller.destroy();
    },
  });
  poller.now();
}
