// Brings one file's bytes to storage: whole by a presigned POST, or in parts, several at a time.
// It remembers which parts have arrived, so that it can be stopped and called again; after a reload
// it asks the API for them.
import { ApiError } from "../api.js";
import { cut } from "./parts.js";
import { postForm, send } from "./transfer.js";

/** @import { Api } from "../api.js" */
/** @import { MultipartTarget, PostTarget, StoredPart, UploadTicket } from "../types.js" */
/** @import { Part } from "./parts.js" */

const PARALLEL = 3;
/** Part URLs are asked for a few at a time: all at once would expire before a slow line is done. */
const URLS_AHEAD = 6;

/**
 * @typedef {object} Sender
 * @property {(signal: AbortSignal) => Promise<void>} run resolves when every byte has arrived
 */

/**
 * Does something again and again until it works, cannot work, or is stopped.
 * @typedef {<T>(task: (attempt: number) => Promise<T>, signal: AbortSignal) => Promise<T>} Persist
 */

/**
 * @typedef {object} SenderOptions
 * @property {File} file
 * @property {Api} api
 * @property {UploadTicket} ticket
 * @property {(sentBytes: number) => void} onProgress
 * @property {(keptBytes: number) => void} onKept how much storage had before anything was sent here
 * @property {Persist} persist
 */

/**
 * @param {SenderOptions} options
 * @param {PostTarget} first
 * @param {() => Promise<PostTarget>} refresh asks for a target that has not expired
 * @returns {Sender}
 */
export function createPostSender(
  { file, onProgress, persist },
  first,
  refresh,
) {
  let target = first;
  let used = false;
  return {
    run: (signal) =>
      persist(async () => {
        if (used) target = await refresh();
        used = true;
        await send({
          method: "POST",
          url: target.url,
          body: postForm(target.fields, file),
          signal,
          // The form's own fields count too; the file is all but a kilobyte of it.
          onProgress: (sent) => onProgress(Math.min(sent, file.size)),
        });
      }, signal),
  };
}

/** What completing says when storage and this page remember different parts. */
const asksForParts = (/** @type {unknown} */ error) =>
  error instanceof ApiError &&
  (error.code === "parts-missing" || error.code === "parts-mismatch");

/** @param {Part} part */
const lengthOf = ({ start, end }) => end - start;

/**
 * @param {SenderOptions} options
 * @param {MultipartTarget} target
 * @param {{ begunBefore: boolean }} history whether some parts may be stored already
 * @returns {Sender}
 */
export function createPartSender(
  { file, api, ticket, onProgress, onKept, persist },
  target,
  { begunBefore },
) {
  const parts = cut(file.size, target.part_size_bytes);
  let knowsStorage = !begunBefore;
  /** @type {Map<number, StoredPart | null>} by part number; null: stored, its ETag is not known */
  const stored = new Map();
  /** @type {Map<number, string>} */
  const urls = new Map();
  /** @type {Map<number, number>} */
  const underWay = new Map();

  function sentBytes() {
    let sent = 0;
    for (const part of parts)
      sent += stored.has(part.number)
        ? lengthOf(part)
        : (underWay.get(part.number) ?? 0);
    return sent;
  }

  const report = () => onProgress(sentBytes());

  /** Takes over what storage has; a part of another length does not count. @param {AbortSignal} signal */
  async function askStorage(signal) {
    const answer = await persist(
      () => api.listParts(ticket.video_id, signal),
      signal,
    );
    const there = new Map(answer.parts.map((part) => [part.part_number, part]));
    stored.clear();
    for (const part of parts) {
      const known = there.get(part.number);
      if (known && (known.size_bytes ?? lengthOf(part)) === lengthOf(part))
        stored.set(part.number, known);
    }
    if (!knowsStorage) onKept(sentBytes());
    knowsStorage = true;
    report();
  }

  /** @param {Part} part @param {AbortSignal} signal */
  async function urlOf(part, signal) {
    const known = urls.get(part.number);
    if (known) return known;
    const wanted = parts
      .filter(({ number }) => number >= part.number && !stored.has(number))
      .slice(0, URLS_AHEAD)
      .map(({ number }) => number);
    const answer = await api.signParts(ticket.video_id, wanted, signal);
    for (const { part_number, url } of answer.parts) urls.set(part_number, url);
    const url = urls.get(part.number);
    if (!url) throw new Error(`No address was given for part ${part.number}.`);
    return url;
  }

  /** @param {Part} part @param {AbortSignal} signal */
  async function sendPart(part, signal) {
    const url = await urlOf(part, signal);
    try {
      const { etag } = await send({
        method: "PUT",
        url,
        body: file.slice(part.start, part.end),
        signal,
        onProgress: (sent) => {
          underWay.set(part.number, sent);
          report();
        },
      });
      stored.set(part.number, etag ? { part_number: part.number, etag } : null);
    } catch (error) {
      // Whatever it was, a new URL does no harm, and an expired one needs it.
      urls.delete(part.number);
      throw error;
    } finally {
      underWay.delete(part.number);
      report();
    }
  }

  /** @param {Part[]} pending shared by all workers @param {AbortSignal} signal */
  async function work(pending, signal) {
    for (let part = pending.shift(); part; part = pending.shift()) {
      const mine = part;
      await persist(() => sendPart(mine, signal), signal);
    }
  }

  /** @param {AbortSignal} signal */
  async function sendMissing(signal) {
    const pending = parts.filter(({ number }) => !stored.has(number));
    // One part that cannot be sent stops the others.
    const group = new AbortController();
    const stop = () => group.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.all(
        Array.from({ length: PARALLEL }, () => work(pending, group.signal)),
      );
    } catch (error) {
      group.abort(error);
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** @param {AbortSignal} signal @returns {Promise<StoredPart[]>} */
  async function list(signal) {
    const known = [...stored.values()];
    const complete = known.every((part) => part !== null)
      ? known
      : (await api.listParts(ticket.video_id, signal)).parts;
    return complete
      .map(({ part_number, etag }) => ({ part_number, etag }))
      .sort((a, b) => a.part_number - b.part_number);
  }

  /** @param {AbortSignal} signal */
  async function complete(signal) {
    let attempts = 0;
    await persist(async (attempt) => {
      attempts = attempt;
      return api.completeUpload(ticket.video_id, await list(signal), signal);
    }, signal).catch((error) => {
      // The first answer was lost on its way, the deed was done.
      if (attempts > 1 && error?.code === "upload-not-open") return;
      throw error;
    });
  }

  return {
    async run(signal) {
      if (!knowsStorage) await askStorage(signal);
      await sendMissing(signal);
      try {
        await complete(signal);
      } catch (error) {
        if (!asksForParts(error)) throw error;
        await askStorage(signal);
        await sendMissing(signal);
        await complete(signal);
      }
    },
  };
}
