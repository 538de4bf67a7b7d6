// Brings one file's bytes to storage: whole by a presigned POST, or in parts, several at a time.
// It remembers which parts have arrived, so that it can be stopped and called again.
import { judge } from "./judge.js";
import { cut } from "./parts.js";
import { retry } from "./retry.js";
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
 * @typedef {object} SenderOptions
 * @property {File} file
 * @property {Api} api
 * @property {UploadTicket} ticket
 * @property {(sentBytes: number) => void} onProgress
 * @property {(error: unknown, attempt: number) => void} onTrouble before something is tried again
 */

/**
 * @param {SenderOptions} options
 * @param {PostTarget} first
 * @param {() => Promise<PostTarget>} refresh asks for a target that has not expired
 * @returns {Sender}
 */
export function createPostSender(
  { file, onProgress, onTrouble },
  first,
  refresh,
) {
  let target = first;
  return {
    run: (signal) =>
      retry(
        async (attempt) => {
          if (attempt > 1) target = await refresh();
          await send({
            method: "POST",
            url: target.url,
            body: postForm(target.fields, file),
            signal,
            // The form's own fields count too; the file is all but a kilobyte of it.
            onProgress: (sent) => onProgress(Math.min(sent, file.size)),
          });
        },
        { judge, signal, onFailure: onTrouble },
      ),
  };
}

/**
 * @param {SenderOptions} options
 * @param {MultipartTarget} target
 * @returns {Sender}
 */
export function createPartSender(
  { file, api, ticket, onProgress, onTrouble },
  target,
) {
  const parts = cut(file.size, target.part_size_bytes);
  /** @type {Map<number, StoredPart | null>} by part number; null: stored, its ETag is not known */
  const stored = new Map();
  /** @type {Map<number, string>} */
  const urls = new Map();
  /** @type {Map<number, number>} */
  const underWay = new Map();

  function report() {
    let sent = 0;
    for (const part of parts)
      sent += stored.has(part.number)
        ? part.end - part.start
        : (underWay.get(part.number) ?? 0);
    onProgress(sent);
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

  /** @param {Part[]} pending shared by all workers @param {AbortController} group */
  async function work(pending, group) {
    const { signal } = group;
    for (let part = pending.shift(); part; part = pending.shift()) {
      const mine = part;
      await retry(() => sendPart(mine, signal), {
        judge,
        signal,
        onFailure: onTrouble,
      });
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
    let lost = false;
    await retry(
      async () =>
        api.completeUpload(ticket.video_id, await list(signal), signal),
      {
        signal,
        judge: (error) => {
          const verdict = judge(error);
          lost ||= verdict.when === "later";
          return verdict;
        },
        onFailure: onTrouble,
      },
    ).catch((error) => {
      // The first answer was lost on its way, the deed was done.
      if (lost && error?.code === "upload-not-open") return;
      throw error;
    });
  }

  return {
    async run(signal) {
      const pending = parts.filter(({ number }) => !stored.has(number));
      // One part that cannot be sent stops the others.
      const group = new AbortController();
      const stop = () => group.abort(signal.reason);
      signal.addEventListener("abort", stop, { once: true });
      try {
        signal.throwIfAborted();
        await Promise.all(
          Array.from({ length: PARALLEL }, () => work(pending, group)),
        );
      } catch (error) {
        group.abort(error);
        throw signal.aborted ? signal.reason : error;
      } finally {
        signal.removeEventListener("abort", stop);
      }
      await complete(signal);
    },
  };
}
