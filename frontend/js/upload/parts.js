/** @typedef {{ number: number, start: number, end: number }} Part a stretch of bytes [start, end) */

/**
 * @param {number} sizeBytes
 * @param {number} partSizeBytes
 * @returns {Part[]} numbered from 1, as S3 does
 */
export function cut(sizeBytes, partSizeBytes) {
  if (!(partSizeBytes > 0)) throw new RangeError("parts must have a size");
  const parts = [];
  for (let start = 0; start < sizeBytes; start += partSizeBytes) {
    const end = Math.min(start + partSizeBytes, sizeBytes);
    parts.push({ number: parts.length + 1, start, end });
  }
  return parts;
}
