// Which failures are worth another try, and how a person is told of them.
import { ApiError } from "../api.js";
import { TransferError } from "./transfer.js";

/** @import { Verdict } from "./retry.js" */

/** @param {unknown} error */
export const needsToken = (error) =>
  error instanceof ApiError &&
  (error.status === 401 || error.code === "role-missing");

/**
 * @param {unknown} error
 * @returns {Verdict}
 */
export function judge(error) {
  if (needsToken(error)) return { when: "token" };
  if (error instanceof TransferError && error.refused) return { when: "now" };
  if (error instanceof TransferError && error.temporary)
    return { when: "later" };
  if (error instanceof ApiError && error.temporary)
    return { when: "later", atLeast_ms: (error.retryAfter_s ?? 0) * 1000 };
  return { when: "never" };
}

/**
 * Whether the API no longer has the upload: finished, given up, or expired.
 * @param {unknown} error
 */
export const isOver = (error) =>
  error instanceof ApiError &&
  (error.code === "upload-not-open" || error.code === "video-not-found");

/**
 * @param {unknown} error a failure that is tried again by itself
 * @returns {string} what happened, without what comes next
 */
export function troubleWords(error) {
  if (globalThis.navigator?.onLine === false) return "There is no network.";
  if (error instanceof ApiError) {
    if (error.code === "network") return "Millrace cannot be reached.";
    if (error.status === 429) return "Millrace asks for a little patience.";
    return `Millrace is busy (${error.status}).`;
  }
  return error instanceof Error ? error.message : "It failed.";
}

/**
 * @param {unknown} error
 * @returns {string} why another token is needed
 */
export function tokenWords(error) {
  if (error instanceof ApiError)
    switch (error.code) {
      case "token-missing":
        return "Uploading needs an access token.";
      case "token-expired":
        return "The access token has expired.";
      case "role-missing":
        return "This access token may not upload.";
    }
  return "The access token was not accepted.";
}

/** @type {Record<string, string>} by the slug of the API's problem */
const FINAL = {
  network: "Millrace cannot be reached. Check the connection, then retry.",
  "upload-not-open":
    "This upload is no longer open. Remove it and pick the file again.",
  "video-not-found":
    "This upload is no longer there: it was given up, or it expired. Remove it and pick the file again.",
  "not-owner":
    "This upload was begun with a token of another name. Only that name, or an admin, can go on with it.",
};

/**
 * @param {unknown} error a failure that ended the upload
 * @returns {string}
 */
export function explain(error) {
  if (needsToken(error))
    return `${tokenWords(error)} Enter a new one, then retry: what was sent is kept.`;
  if (error instanceof ApiError) {
    if (error.temporary && error.code !== "network")
      return "Millrace has been too busy for too long. What was sent is kept: retry.";
    return FINAL[error.code] ?? error.message;
  }
  if (error instanceof TransferError) {
    if (error.temporary)
      return "The connection to storage keeps breaking. What was sent is kept: retry.";
    if (error.code === "EntityTooLarge" || error.code === "EntityTooSmall")
      return "The file changed on disk since it was picked. Pick it again.";
    return `Storage refused the file: ${error.message}`;
  }
  if (error instanceof DOMException && error.name === "NotReadableError")
    return "The file can no longer be read from disk. Pick it again.";
  return error instanceof Error ? error.message : "The upload failed.";
}
