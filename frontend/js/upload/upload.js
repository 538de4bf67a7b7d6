// One file on its way: what may happen to it, and when. No DOM in here.
import { randomId } from "../dom.js";
import { explain, judge, needsToken } from "./judge.js";
import { createMeter } from "./meter.js";
import { retry } from "./retry.js";
import { createPartSender, createPostSender } from "./sender.js";

/** @import { Api } from "../api.js" */
/** @import { PostTarget, UploadTicket } from "../types.js" */
/** @import { Sender } from "./sender.js" */

/** @typedef {"waiting" | "uploading" | "paused" | "uploaded" | "failed" | "cancelled"} Phase */

/**
 * @typedef {object} UploadState
 * @property {Phase} phase
 * @property {number} sent_bytes
 * @property {number | null} speed bytes per second
 * @property {number | null} left_s
 * @property {string | null} videoId known as soon as the API has answered
 * @property {boolean} canPause only what is sent in parts can go on where it stopped
 * @property {string | null} message about trouble: what failed, or what is being tried again
 * @property {boolean} needsToken it failed for want of a good access token
 */

/** @typedef {ReturnType<typeof createUpload>} Upload */

/**
 * @param {object} options
 * @param {File} options.file
 * @param {Api} options.api
 * @param {(state: Readonly<UploadState>) => void} options.onChange
 */
export function createUpload({ file, api, onChange }) {
  const meter = createMeter();
  const idempotencyKey = randomId();
  /** @type {UploadState} */
  let state = {
    phase: "waiting",
    sent_bytes: 0,
    speed: null,
    left_s: null,
    videoId: null,
    canPause: false,
    message: null,
    needsToken: false,
  };
  /** @type {Sender | null} */
  let sender = null;
  let controller = new AbortController();

  /** @param {Partial<UploadState>} change */
  function set(change) {
    state = { ...state, ...change };
    onChange(state);
  }

  /** @param {number} sent_bytes */
  function onProgress(sent_bytes) {
    meter.note(sent_bytes);
    const speed = meter.speed();
    const left_s = speed ? (file.size - sent_bytes) / speed : null;
    set({ sent_bytes, speed, left_s, message: null });
  }

  const onTrouble = (/** @type {unknown} */ error) =>
    set({
      message: navigator.onLine
        ? `${error instanceof Error ? error.message : "It failed."} Trying again…`
        : "There is no network. It goes on when there is.",
    });

  /** @returns {Promise<UploadTicket>} the same one for every call: the key sees to that */
  const ticketFor = (/** @type {AbortSignal} */ signal) =>
    retry(
      () =>
        api.createUpload(
          // The type is left to the API: browsers know few, and the name decides.
          { filename: file.name, size_bytes: file.size },
          { idempotencyKey, signal },
        ),
      { judge, signal, onFailure: onTrouble },
    );

  /** @param {AbortSignal} signal @returns {Promise<Sender>} */
  async function makeSender(signal) {
    const ticket = await ticketFor(signal);
    const target = ticket.upload;
    set({ videoId: ticket.video_id, canPause: target.method === "multipart" });
    const options = { file, api, ticket, onProgress, onTrouble };
    return target.method === "multipart"
      ? createPartSender(options, target)
      : createPostSender(
          options,
          target,
          async () =>
            /** @type {PostTarget} */ ((await ticketFor(signal)).upload),
        );
  }

  async function run() {
    controller = new AbortController();
    const { signal } = controller;
    meter.reset();
    set({ phase: "uploading", message: null, needsToken: false });
    try {
      sender ??= await makeSender(signal);
      await sender.run(signal);
      set({
        phase: "uploaded",
        sent_bytes: file.size,
        speed: null,
        left_s: null,
        message: null,
      });
    } catch (error) {
      if (signal.aborted) return;
      set({
        phase: "failed",
        speed: null,
        left_s: null,
        message: explain(error),
        needsToken: needsToken(error),
      });
    }
  }

  const stop = () =>
    controller.abort(new DOMException("stopped", "AbortError"));

  return {
    file,
    state: () => state,
    /** Starts, resumes or tries again; resolves when nothing is under way any more. */
    run,
    pause() {
      stop();
      set({ phase: "paused", speed: null, left_s: null, message: null });
    },
    /** Back into the line, for the queue to start it again. */
    wait: () => set({ phase: "waiting", message: null, needsToken: false }),
    /** Stops and tells the API, which throws away what has arrived. */
    cancel() {
      stop();
      const wasOpen = state.videoId !== null && state.phase !== "uploaded";
      if (wasOpen && state.videoId)
        // Nothing depends on it: what is never finished is cleaned up by itself.
        api.abortUpload(state.videoId).catch(() => {});
      set({ phase: "cancelled", speed: null, left_s: null, message: null });
    },
    destroy: stop,
  };
}
