// What may be picked: a clear word before gigabytes are sent. What a file really is, the probe
// finds out. A test keeps the list equal to the API's.

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
 * @param {{ name: string, size: number }} file
 * @returns {string | null} why it cannot be uploaded
 */
export function refusal({ name, size }) {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 ? name.slice(dot).toLowerCase() : "";
  if (!EXTENSIONS.includes(extension))
    return `${extension ? `${extension} files are` : "A file without an extension is"} not taken. MP4, MOV, MKV, AVI, WebM and a few others are.`;
  if (size === 0) return "The file is empty.";
  return null;
}
