/**
 * The `t` of an address: seconds ("90", "90s") or parts ("1h2m3s", "1:02:03").
 * @param {string | null} text
 * @returns {number | undefined} seconds; undefined for anything else
 */
export function parseTime(text) {
  if (!text) return undefined;
  if (/^\d+(\.\d+)?s?$/.test(text)) return Number.parseFloat(text);
  if (/^\d+(:\d{1,2}){1,2}$/.test(text))
    return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (!parts) return undefined;
  const [, h = "0", m = "0", s = "0"] = parts;
  return Number(h) * 3600 + Number(m) * 60 + Number(s);
}
