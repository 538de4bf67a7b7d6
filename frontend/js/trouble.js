// What a person is told when the API cannot be had.
import { ApiError } from "./api.js";

/**
 * @param {unknown} error null: the network went away
 * @returns {string}
 */
export function explain(error) {
  if (!navigator.onLine) return "You are offline. What is shown may be old.";
  if (error instanceof ApiError && error.status === 0)
    return "Millrace cannot be reached. It may be restarting.";
  return error instanceof Error ? error.message : "Something went wrong.";
}
