// Sets failed videos going again, after a question.
import { counted } from "../dashboard/numbers.js";

/** @import { Api } from "../api.js" */
/** @import { Letter } from "../dashboard/types.js" */

const WHAT_FOLLOWS =
  "The whole video is set going again: what is done stays done, every other task gets its attempts anew.";

/** @param {{ redriven: number, skipped: number }} sum @returns {string} */
export function sumWords({ redriven, skipped }) {
  const left =
    skipped === 0
      ? ""
      : ` ${counted(skipped, "video")} ${skipped === 1 ? "was" : "were"} left: cancelled, being deleted, or refused when ${skipped === 1 ? "it" : "they"} arrived.`;
  if (redriven === 0) return `Nothing was set going again.${left}`;
  return `${counted(redriven, "video")} ${redriven === 1 ? "is" : "are"} under way again.${left}`;
}

/**
 * @param {object} options
 * @param {Api} options.api
 * @param {(question: string, text: string) => Promise<boolean>} options.confirm
 */
export function createRedriving({ api, confirm }) {
  /** @param {string | null} queue null: of all */
  async function redriveAll(queue) {
    const videos = new Set();
    const left = new Set();
    /** @type {string | null} */
    let cursor = null;
    do {
      const what = queue ? { queue } : { all: /** @type {const} */ (true) };
      const answer = await api.redrive(cursor ? { ...what, cursor } : what);
      answer.redriven.forEach((id) => videos.add(id));
      answer.skipped.forEach((id) => left.add(id));
      cursor = answer.next_cursor;
    } while (cursor !== null);
    return sumWords({ redriven: videos.size, skipped: left.size });
  }

  return {
    /**
     * @param {Letter} letter
     * @param {() => void} onBegin
     * @returns {Promise<string | null>} what became of it; null if it was not wanted
     */
    async one({ video_id, task_id }, onBegin) {
      const sure = await confirm(`Redrive ${task_id}?`, WHAT_FOLLOWS);
      if (!sure) return null;
      onBegin();
      const { redriven, skipped } = await api.redrive({ video_id, task_id });
      return sumWords({ redriven: redriven.length, skipped: skipped.length });
    },

    /**
     * @param {string | null} queue
     * @param {() => void} onBegin
     * @returns {Promise<string | null>}
     */
    async all(queue, onBegin) {
      const which = queue ? `all dead letters of ${queue}` : "all dead letters";
      const sure = await confirm(
        `Redrive ${which}?`,
        "Every video they belong to is set going again, those not listed here yet included. Done this before the cause is gone, they come back.",
      );
      if (!sure) return null;
      onBegin();
      return redriveAll(queue);
    },
  };
}
