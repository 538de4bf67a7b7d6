// Delete, cancel and retry: shown at once, taken back with the reason if the API refuses.

/** @import { Api } from "../api.js" */
/** @import { Status, Video } from "../types.js" */
/** @import { Deed } from "./card.js" */

/** @typedef {ReturnType<typeof createDeeds>} Deeds */

/** @type {Record<Deed, { at_once: Status, done: string, refused: string }>} */
const WORDS = {
  delete: {
    at_once: "deleting",
    done: "was deleted",
    refused: "could not be deleted",
  },
  cancel: {
    at_once: "cancelled",
    done: "was cancelled",
    refused: "could not be cancelled",
  },
  retry: {
    at_once: "queued",
    done: "is tried again",
    refused: "could not be tried again",
  },
};

/**
 * @param {object} options
 * @param {Api} options.api
 * @param {() => void} options.onChange what is shown of the videos has changed
 * @param {(id: string, changes: Partial<Video>) => void} options.onSettled the API has said what is
 *   so now
 * @param {(text: string) => void} options.onDone
 * @param {(text: string) => void} options.onRefused
 */
export function createDeeds({ api, onChange, onSettled, onDone, onRefused }) {
  /** @type {Map<string, Status>} */
  const expected = new Map();
  /** Deleted here: what may still be listed for a while is not shown again. */
  /** @type {Set<string>} */
  const gone = new Set();
  const calls = {
    delete: api.deleteVideo,
    cancel: api.cancelVideo,
    retry: api.retryVideo,
  };

  return {
    /** @param {string} id whether something was asked of this video and not answered yet */
    isUnderWay: (id) => expected.has(id),

    /**
     * @param {readonly Video[]} videos
     * @returns {readonly Video[]} as they will be once what was asked for is done
     */
    apply(videos) {
      if (expected.size + gone.size === 0) return videos;
      return videos
        .filter(({ id }) => !gone.has(id))
        .map((video) => {
          const status = expected.get(video.id);
          return status ? { ...video, status, playable: false } : video;
        });
    },

    /**
     * @param {Deed} deed
     * @param {Video} video
     */
    async run(deed, video) {
      const { at_once, done, refused } = WORDS[deed];
      if (expected.has(video.id) || gone.has(video.id)) return;
      if (deed === "delete") gone.add(video.id);
      else expected.set(video.id, at_once);
      onChange();
      const title = video.title || "Untitled";
      try {
        const now = await calls[deed](video.id);
        onSettled(video.id, now);
        onDone(`“${title}” ${done}.`);
      } catch (error) {
        gone.delete(video.id);
        const why = error instanceof Error ? error.message : "";
        onRefused(`“${title}” ${refused}. ${why}`);
      } finally {
        expected.delete(video.id);
        onChange();
      }
    },
  };
}
