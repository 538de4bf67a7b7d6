// Which failures are worth another try, and how a person is told of the others.
import { ApiError } from "../api.js";
import { TransferError } from "./transfer.js";

/** @import { Verdict } from "./retry.js" */

/**
 * @param {unknown} error
 * @returns {Verdict}
 */
export function judge(error) {
  if (error instanceof TransferError && error.refused) return { when: "now" };
  if (error instanceof TransferError && error.temporary)
    return { when: "later" };
  if (error instanceof ApiError && error.temporary)
    return { when: "later", atLeast_ms: (error.retryAfter_s ?? 0) * 1000 };
  return { when: "never" };
}

/** @param {unknown} error */
export const needsToken = (error) =>
  error instanceof ApiError &&
  (error.status === 401 || error.code === "role-missing");

/**
 * @param {unknown} error
 * @returns {string}
 */
export function explain(error) {
  if (error instanceof ApiError) {
    switch (error.code) {
      case "network":
        return "Millrace cannot be reached. Check the connection, then retry.";
      case "token-missing":
        return "Uploading needs an access token. Enter it, then retry.";
      case "token-expired":
        return "The access token has expired. Enter a new one, then retry: what was sent is kept.";
      case "role-missing":
        return "This access token may not upload. Enter one that may, then retry.";
      case "upload-not-open":
        return "This upload is no longer open. Remove it and pick the file again.";
    }
    if (error.status === 401)
      return "The access token was not accepted. Enter it again, then retry.";
    return error.message;
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
