// The list of files: two are sent at a time, the others wait.
import { refusal } from "./accept.js";
import { createRow } from "./row.js";
import { createUpload } from "./upload.js";

/** @import { Api } from "../api.js" */
/** @import { Row } from "./row.js" */
/** @import { Tracker } from "./tracker.js" */
/** @import { Upload, UploadState } from "./upload.js" */

const AT_ONCE = 2;

/** @typedef {{ upload: Upload, row: Row }} Job */

/**
 * @param {object} options
 * @param {HTMLElement} options.element the list
 * @param {Api} options.api
 * @param {Tracker} options.tracker
 * @param {(summary: { files: number, open: number, needsToken: boolean }) => void} options.onChange
 */
export function createQueue({ element, api, tracker, onChange }) {
  /** @type {Set<Job>} */
  const jobs = new Set();
  /** Rows of files that were never sent. */
  /** @type {Set<Row>} */
  const refused = new Set();

  const inPhase = (/** @type {string} */ phase) =>
    [...jobs].filter(({ upload }) => upload.state().phase === phase);

  function summarize() {
    const states = [...jobs].map(({ upload }) => upload.state());
    onChange({
      files: jobs.size + refused.size,
      open: states.filter(({ phase }) =>
        ["waiting", "uploading", "paused"].includes(phase),
      ).length,
      needsToken: states.some((state) => state.needsToken),
    });
  }

  function startNext() {
    const free = AT_ONCE - inPhase("uploading").length;
    for (const { upload } of inPhase("waiting").slice(0, Math.max(0, free)))
      void upload.run();
  }

  /** @param {Job} job */
  function remove(job) {
    const { videoId } = job.upload.state();
    if (videoId) tracker.unfollow(videoId);
    job.upload.destroy();
    job.row.destroy();
    jobs.delete(job);
  }

  /** @param {File} file */
  function add(file) {
    const why = refusal(file);
    if (why !== null) {
      const row = createRow(file, () => {
        row.destroy();
        refused.delete(row);
        summarize();
      });
      row.showRefused(why);
      refused.add(row);
      element.prepend(row.element);
      return;
    }
    const row = createRow(file, (action) => {
      if (action === "remove") remove(job);
      else if (action === "cancel") job.upload.cancel();
      else if (action === "pause") job.upload.pause();
      else job.upload.wait();
      startNext();
      summarize();
    });
    let phase = "";
    const upload = createUpload({
      file,
      api,
      onChange(state) {
        row.showUpload(state);
        if (state.phase === phase) return;
        phase = state.phase;
        onPhase(state);
      },
    });
    /** @type {Job} */
    const job = { upload, row };
    /** @param {Readonly<UploadState>} state */
    function onPhase({ phase: now, videoId }) {
      if (now === "uploaded" && videoId)
        tracker.follow(videoId, (video) => row.showVideo(video));
      if (now !== "waiting") startNext();
      summarize();
    }
    jobs.add(job);
    row.showUpload(upload.state());
    element.prepend(row.element);
  }

  return {
    element,
    /** @param {Iterable<File>} files */
    add(files) {
      for (const file of files) add(file);
      startNext();
      summarize();
    },
    /** A new token was entered: what failed for want of one goes on by itself. */
    retryUnauthorized() {
      for (const { upload } of jobs)
        if (upload.state().needsToken) upload.wait();
      startNext();
      summarize();
    },
    destroy() {
      for (const job of [...jobs]) remove(job);
      for (const row of refused) row.destroy();
    },
  };
}
