// What may be picked: a clear word before gigabytes are sent. What a file really is, the probe
// finds out.
import { size } from "../format.js";

/** @import { UploadRules } from "../types.js" */

/** What is taken as long as the API has not been asked. A test keeps the list equal to the API's. */
export const EXTENSIONS = [
  ".mp4",
  ".m4v",
  ".mov",
  ".mkv",
  ".webm",
  ".avi",
  ".mpg",
  ".mpeg",
  ".ts",
  ".flv",
  ".3gp",
  ".ogv",
  ".wmv",
];

/**
 * @typedef {object} Limits
 * @property {readonly string[]} extensions with their dots, lower case
 * @property {number} max_bytes
 */

/** @type {Limits} */
export const UNKNOWN_LIMITS = { extensions: EXTENSIONS, max_bytes: Infinity };

/** @param {UploadRules} rules @returns {Limits} */
export const limitsOf = ({ types, max_bytes }) => ({
  extensions: types.map(({ extension }) => extension),
  max_bytes,
});

/** @param {string} name */
const extensionOf = (name) => {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot).toLowerCase() : "";
};

/**
 * Whether it is worth a word in a folder full of other things.
 * @param {{ name: string }} file
 * @param {Limits} limits
 */
export const looksLikeVideo = ({ name }, { extensions }) =>
  !name.startsWith(".") && extensions.includes(extensionOf(name));

/**
 * @param {{ name: string, size: number }} file
 * @param {Limits} [limits]
 * @returns {string | null} why it cannot be uploaded
 */
export function refusal(file, { extensions, max_bytes } = UNKNOWN_LIMITS) {
  const extension = extensionOf(file.name);
  if (!extensions.includes(extension))
    return `${extension ? `${extension} files are` : "A file without an extension is"} not taken. MP4, MOV, MKV, AVI, WebM and a few others are.`;
  if (file.size === 0) return "The file is empty.";
  if (file.size > max_bytes)
    return `The file has ${size(file.size)}. At most ${size(max_bytes)} are taken here.`;
  return null;
}
