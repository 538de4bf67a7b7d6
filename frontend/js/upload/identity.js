// Whether a file is the one whose upload was begun before the page was loaded again. A browser
// gives no page a file back by itself: a person picks it again, and might pick another one.
import { size } from "../format.js";

const EDGE_BYTES = 1024 * 1024;

/**
 * @typedef {object} Identity
 * @property {string} name
 * @property {number} size
 * @property {number} lastModified Unix time in milliseconds
 * @property {string | null} fingerprint
 */

/**
 * SHA-256 over the first and the last MiB: soon done, however large the file is. Headers are at the
 * beginning or at the end of every container, so hardly an edit leaves both as they were.
 * @param {Blob} file
 * @returns {Promise<string | null>} hexadecimal; null on plain-HTTP sites, where browsers offer no
 *   hashing: name, size and time have to do there
 */
export async function fingerprintOf(file) {
  if (!globalThis.crypto?.subtle) return null;
  const last = Math.max(EDGE_BYTES, file.size - EDGE_BYTES);
  const edges = new Blob([file.slice(0, EDGE_BYTES), file.slice(last)]);
  const hash = await crypto.subtle.digest("SHA-256", await edges.arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** @param {File} file @returns {Promise<Identity>} */
export const identify = async (file) => ({
  name: file.name,
  size: file.size,
  lastModified: file.lastModified,
  fingerprint: await fingerprintOf(file),
});

/**
 * The name does not count: a file that was renamed still is what it was.
 * @param {Identity} begun
 * @param {Identity} picked
 * @returns {string | null} how they differ, in words; null when it is the same file
 */
export function difference(begun, picked) {
  if (picked.size !== begun.size)
    return `The file picked has ${exact(picked.size, begun.size)}, the one begun had ${exact(begun.size, picked.size)}.`;
  if (
    begun.fingerprint &&
    picked.fingerprint &&
    picked.fingerprint !== begun.fingerprint
  )
    return "The file picked begins or ends differently from the one begun.";
  if (picked.lastModified !== begun.lastModified)
    return "The file was changed on disk since the upload was begun.";
  return null;
}

/** @param {number} bytes @param {number} other sizes that round to the same words need figures */
const exact = (bytes, other) =>
  size(bytes) === size(other)
    ? `${bytes.toLocaleString("en")} bytes`
    : size(bytes);
