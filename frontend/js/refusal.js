// What is said of an access token that the API does not accept.
import { ApiError } from "./api.js";

/** @param {unknown} error */
export const isRefusal = (error) =>
  error instanceof ApiError && (error.status === 401 || error.status === 403);

/** @param {unknown} error */
export const refusalWords = (error) =>
  error instanceof ApiError && error.code === "token-expired"
    ? "The access token has expired."
    : error instanceof ApiError && error.status === 403
      ? "This access token is not an admin's."
      : "The access token was not accepted.";
