// What becomes of uploaded files: one conditional request for all of them, never one per row.
import { createPoller } from "../poller.js";

/** @import { Api } from "../api.js" */
/** @import { Video } from "../types.js" */

const LISTED = 100;

/** @typedef {ReturnType<typeof createTracker>} Tracker */

/** @param {Video} video */
const isSettled = ({ status }) =>
  status === "completed" || status === "failed" || status === "cancelled";

/** @param {{ api: Api, onFlow: (flowing: boolean) => void }} options */
export function createTracker({ api, onFlow }) {
  /** @type {Map<string, (video: Video) => void>} */
  const followed = new Map();

  /** @param {AbortSignal} signal */
  async function ask(signal) {
    const { videos, next_cursor } = await api.listVideos({
      limit: LISTED,
      signal,
    });
    const found = new Map(videos.map((video) => [video.id, video]));
    // On a busy site a row can be older than the newest hundred.
    const lost =
      next_cursor === null
        ? []
        : [...followed.keys()].filter((id) => !found.has(id)).slice(0, 5);
    for (const id of lost) {
      const video = await api.getVideo(id, signal).catch(() => null);
      if (video) found.set(id, video);
    }
    return found;
  }

  const poller = createPoller({
    async poll(signal) {
      if (followed.size === 0) return { active: false, changed: false };
      const found = await ask(signal);
      for (const [id, tell] of [...followed]) {
        const video = found.get(id);
        if (!video) continue;
        if (isSettled(video)) followed.delete(id);
        tell(video);
      }
      onFlow(followed.size > 0);
      return { active: followed.size > 0, changed: true };
    },
  });

  return {
    /**
     * @param {string} id
     * @param {(video: Video) => void} tell called with every fresh answer until it is settled
     */
    follow(id, tell) {
      followed.set(id, tell);
      onFlow(true);
      poller.now();
    },
    /** @param {string} id */
    unfollow: (id) => void followed.delete(id),
    destroy: () => poller.destroy(),
  };
}
