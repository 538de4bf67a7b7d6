// One file on its way: what may happen to it, and when. No DOM in here.
import { randomId } from "../dom.js";
import { identify } from "./identity.js";
import {
  explain,
  isOver,
  judge,
  needsToken,
  tokenWords,
  troubleWords,
} from "./judge.js";
import { createMeter } from "./meter.js";
import { retry } from "./retry.js";
import { createPartSender, createPostSender } from "./sender.js";

/** @import { Api } from "../api.js" */
/** @import { MultipartTarget, PostTarget, UploadTicket, VideoSettings } from "../types.js" */
/** @import { Gate } from "./gate.js" */
/** @import { Entry, Ledger } from "./ledger.js" */
/** @import { Persist, Sender } from "./sender.js" */

/** @typedef {"draft" | "waiting" | "uploading" | "paused" | "uploaded" | "failed" | "cancelled"} Phase */

/**
 * @typedef {object} Trouble something that is being tried again
 * @property {string} words what failed
 * @property {number | null} until_ms when it is tried again, on the clock of `performance.now()`
 */

/**
 * @typedef {object} UploadState
 * @property {Phase} phase
 * @property {number} sent_bytes
 * @property {number | null} speed bytes per second
 * @property {number | null} left_s
 * @property {string | null} videoId known as soon as the API has answered
 * @property {boolean} resumable what is sent in parts goes on where it stopped
 * @property {number} kept_bytes what had arrived before the page was loaded again
 * @property {Trouble | null} trouble the latest, while there is any
 * @property {string | null} message why it failed
 * @property {boolean} needsToken it waits for a good access token
 */

/**
 * @typedef {object} Choices
 * @property {string} [title]
 * @property {VideoSettings} [settings]
 */

/** @typedef {ReturnType<typeof createUpload>} Upload */

/** @param {Entry} entry @returns {UploadTicket} */
const ticketOf = (entry) => ({
  video_id: entry.videoId,
  upload: {
    method: "multipart",
    part_size_bytes: entry.partSize_bytes,
    part_count: entry.partCount,
  },
});

const STILL = { speed: null, left_s: null };

/**
 * @param {object} options
 * @param {File} options.file
 * @param {Api} options.api
 * @param {Gate} options.gate
 * @param {Ledger} options.ledger
 * @param {() => string} options.owner name of the token in use
 * @param {() => Choices} options.choices asked for once, when the upload is announced
 * @param {Entry} [options.entry] an upload of this file that was begun before
 * @param {boolean} [options.draft] it waits until a person says so
 * @param {(state: Readonly<UploadState>) => void} options.onChange
 */
export function createUpload({
  file,
  api,
  gate,
  ledger,
  owner,
  choices,
  entry,
  draft = false,
  onChange,
}) {
  const meter = createMeter();
  const idempotencyKey = randomId();
  /** @type {UploadState} */
  let state = {
    phase: draft ? "draft" : "waiting",
    sent_bytes: 0,
    ...STILL,
    videoId: entry?.videoId ?? null,
    resumable: entry !== undefined,
    kept_bytes: 0,
    trouble: null,
    message: null,
    needsToken: false,
  };
  /** @type {Sender | null} */
  let sender = null;
  /** @type {Choices | null} settled by the first announcement: a repeated one must be the same */
  let chosen = null;
  let controller = new AbortController();
  /** @type {Set<Trouble>} */
  const troubles = new Set();

  /** @param {Partial<UploadState>} change */
  function set(change) {
    state = { ...state, ...change };
    onChange(state);
  }

  const showTrouble = () => set({ trouble: [...troubles].at(-1) ?? null });

  /** @type {Persist} */
  async function persist(task, signal) {
    /** @type {Trouble | null} */
    let mine = null;
    const over = () => {
      if (mine && troubles.delete(mine) && !signal.aborted) showTrouble();
    };
    try {
      return await retry(task, {
        judge,
        signal,
        async waitForToken(until) {
          await gate.wait(until);
          set({ needsToken: false, trouble: null });
        },
        onFailure(error, wait_ms) {
          over();
          if (wait_ms === 0) return;
          const until_ms = navigator.onLine
            ? performance.now() + wait_ms
            : null;
          mine = { words: troubleWords(error), until_ms };
          troubles.add(mine);
          showTrouble();
        },
      });
    } finally {
      over();
    }
  }

  /** @type {Persist} Like `persist`, and tells when only another token helps. */
  const ask = (task, signal) =>
    persist(async (attempt) => {
      try {
        return await task(attempt);
      } catch (error) {
        if (needsToken(error) && !signal.aborted)
          set({
            needsToken: true,
            ...STILL,
            trouble: {
              words: `${tokenWords(error)} Enter a new one, and it goes on: what was sent is kept.`,
              until_ms: null,
            },
          });
        throw error;
      }
    }, signal);

  /** @param {number} sent_bytes */
  function onProgress(sent_bytes) {
    meter.note(sent_bytes);
    set({ sent_bytes });
  }

  /** @returns {Promise<UploadTicket>} the same one for every call: the key sees to that */
  function ticketFor(/** @type {AbortSignal} */ signal) {
    const body = {
      // The type is left to the API: browsers know few, and the name decides.
      filename: file.name,
      size_bytes: file.size,
      ...(chosen ??= choices()),
    };
    return ask(
      () => api.createUpload(body, { idempotencyKey, signal }),
      signal,
    );
  }

  /** @param {UploadTicket} ticket @param {MultipartTarget} target */
  async function remember(ticket, target) {
    const identity = await identify(file);
    // Cancelled in the meantime: it is being given up.
    if (state.phase !== "uploading" || !ticket.expires_at) return;
    ledger.remember({
      ...identity,
      videoId: ticket.video_id,
      site: ledger.site,
      owner: owner(),
      partSize_bytes: target.part_size_bytes,
      partCount: target.part_count,
      begunAt: new Date().toISOString(),
      expiresAt: ticket.expires_at,
    });
  }

  /** @param {AbortSignal} signal @returns {Promise<Sender>} */
  async function makeSender(signal) {
    const ticket = entry ? ticketOf(entry) : await ticketFor(signal);
    const target = ticket.upload;
    /** @param {number} kept_bytes */
    const onKept = (kept_bytes) => set({ kept_bytes });
    const options = { file, api, ticket, onProgress, onKept, persist: ask };
    set({ videoId: ticket.video_id, resumable: target.method === "multipart" });
    if (target.method === "post")
      return createPostSender(
        options,
        target,
        async () =>
          /** @type {PostTarget} */ ((await ticketFor(signal)).upload),
      );
    if (!entry) await remember(ticket, target);
    return createPartSender(options, target, {
      begunBefore: entry !== undefined,
    });
  }

  function finish() {
    if (state.videoId) ledger.forget(state.videoId);
    set({
      phase: "uploaded",
      sent_bytes: file.size,
      ...STILL,
      trouble: null,
      message: null,
      needsToken: false,
    });
  }

  /** @param {unknown} error */
  function fail(error) {
    if (state.videoId && isOver(error)) ledger.forget(state.videoId);
    set({
      phase: "failed",
      ...STILL,
      trouble: null,
      message: explain(error),
      needsToken: false,
    });
  }

  async function run() {
    controller = new AbortController();
    const { signal } = controller;
    meter.reset();
    troubles.clear();
    set({ phase: "uploading", trouble: null, message: null });
    try {
      sender ??= await makeSender(signal);
      await sender.run(signal);
      finish();
    } catch (error) {
      if (!signal.aborted) fail(error);
    }
  }

  /** @param {Phase} phase */
  function stop(phase) {
    controller.abort(new DOMException("stopped", "AbortError"));
    troubles.clear();
    const rest = { trouble: null, message: null, needsToken: false };
    // What is sent whole begins again.
    const sent_bytes = state.resumable ? state.sent_bytes : 0;
    set({ phase, sent_bytes, ...STILL, ...rest });
  }

  /** Nothing depends on it: what is never finished is cleaned up by itself. */
  async function giveUp(/** @type {string} */ videoId) {
    try {
      await api.abortUpload(videoId);
    } catch (error) {
      // It stays on the list of unfinished uploads, to be discarded another time.
      if (!isOver(error)) return;
    }
    ledger.forget(videoId);
  }

  return {
    file,
    state: () => state,
    /** Starts, resumes or tries again; resolves when nothing is under way any more. */
    run,
    pause: () => stop("paused"),
    /** Into the line, for the queue to start it. */
    wait: () => set({ phase: "waiting", message: null }),
    /** Stops and tells the API, which throws away what has arrived. */
    cancel() {
      const { videoId, phase } = state;
      stop("cancelled");
      if (videoId !== null && phase !== "uploaded") void giveUp(videoId);
    },
    /** Measures again, once a second. */
    tick() {
      if (state.phase !== "uploading" || state.needsToken) return;
      meter.note(state.sent_bytes);
      const left_s = meter.left_s(file.size - state.sent_bytes);
      set({ speed: meter.speed(), left_s });
    },
    destroy: () => controller.abort(new DOMException("stopped", "AbortError")),
  };
}
