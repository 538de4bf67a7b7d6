// What this browser remembers of uploads in parts that are not finished, so that they can go on
// after the page was loaded again: names, sizes and ids. No token, no address of storage. Which
// parts have arrived is not remembered but asked of the API.

/** @import { Identity } from "./identity.js" */

const PREFIX = "millrace.upload.";

/**
 * @typedef {Identity & { videoId: string, site: string, owner: string, partSize_bytes: number,
 *   partCount: number, begunAt: string, expiresAt: string }} Entry `site` tells Millraces of one
 *   origin apart; `owner` is the name of the token it was begun with
 * @typedef {ReturnType<typeof createLedger>} Ledger
 */

/** @param {unknown} entry @returns {entry is Entry} */
function isEntry(entry) {
  if (typeof entry !== "object" || entry === null) return false;
  const known = /** @type {Record<string, unknown>} */ (entry);
  const texts = ["videoId", "site", "owner", "name", "begunAt", "expiresAt"];
  const numbers = ["size", "lastModified", "partSize_bytes", "partCount"];
  return (
    texts.every((name) => typeof known[name] === "string") &&
    numbers.every((name) => typeof known[name] === "number") &&
    Number(known["partSize_bytes"]) > 0
  );
}

/**
 * @param {object} options
 * @param {Storage} options.storage
 * @param {string} options.site
 * @param {() => number} [options.now_ms]
 */
export function createLedger({ storage, site, now_ms = Date.now }) {
  /** @param {string} key @returns {unknown} */
  function read(key) {
    try {
      return JSON.parse(storage.getItem(key) ?? "");
    } catch {
      return null;
    }
  }

  return {
    site,

    /** @param {Entry} entry */
    remember(entry) {
      try {
        storage.setItem(PREFIX + entry.videoId, JSON.stringify(entry));
      } catch {
        // Storage may be full or forbidden; the upload works, but not past a reload.
      }
    },

    /** @param {string} videoId */
    forget: (videoId) => storage.removeItem(PREFIX + videoId),

    /** @returns {Entry[]} the oldest first; what has expired or cannot be read is cleared away */
    unfinished() {
      const keys = Array.from({ length: storage.length }, (_, index) =>
        storage.key(index),
      ).filter((key) => key?.startsWith(PREFIX));
      const found = [];
      for (const key of keys) {
        const entry = read(String(key));
        if (!isEntry(entry) || !(Date.parse(entry.expiresAt) > now_ms()))
          storage.removeItem(String(key));
        else if (entry.site === site) found.push(entry);
      }
      return found.sort((a, b) => a.begunAt.localeCompare(b.begunAt));
    },
  };
}
