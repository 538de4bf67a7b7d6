// What a failure of playback means to the person watching.

/**
 * @typedef {"offline" | "network" | "slow" | "missing" | "absent" | "forbidden" | "server" | "format"
 *   | "codec" | "decode" | "unsupported" | "unknown"} Trouble
 */

/** @type {Record<Trouble, { title: string, text: string, brief: string }>} `brief`: while it is
 *   tried again and there is still something to play */
export const MESSAGES = {
  offline: {
    title: "You are offline",
    text: "Playback goes on from here as soon as there is a network again.",
    brief: "You are offline",
  },
  network: {
    title: "The connection is gone",
    text: "The next part of the video does not arrive. Check the network; playback goes on from here.",
    brief: "The next part does not arrive",
  },
  slow: {
    title: "The connection is too slow",
    text: "The next part of the video takes too long, even at the lowest quality on offer.",
    brief: "The next part takes long",
  },
  missing: {
    title: "A part of the video is missing",
    text: "The server does not have it (404). The video may have been deleted.",
    brief: "The server does not have the next part (404)",
  },
  absent: {
    title: "The video is not there",
    text: "The server has no playlist at its address (404). It may have been deleted.",
    brief: "The server does not have the playlist (404)",
  },
  forbidden: {
    title: "The video may not be read",
    text: "The server refuses to hand it out (403).",
    brief: "The server refuses the next part (403)",
  },
  server: {
    title: "The server has trouble",
    text: "It answers with an error instead of the video. It may pass.",
    brief: "The server answers with an error",
  },
  format: {
    title: "This is no HLS playlist",
    text: "What the server sends at the video's address cannot be read as one.",
    brief: "The playlist cannot be read",
  },
  codec: {
    title: "This browser decodes none of its qualities",
    text: "The video is there, in codecs that this browser or machine does not know.",
    brief: "No quality can be decoded",
  },
  decode: {
    title: "The video cannot be decoded",
    text: "This browser gives up on its data, even after starting its decoder afresh.",
    brief: "The decoder is started afresh",
  },
  unsupported: {
    title: "This browser cannot play it",
    text: "It has neither Media Source Extensions nor HLS of its own. A current version will do.",
    brief: "This browser cannot play it",
  },
  unknown: {
    title: "Playback stopped",
    text: "Something unexpected went wrong.",
    brief: "Something unexpected went wrong",
  },
};

/** What may pass by itself, so that it is tried again without being asked. */
/** @type {ReadonlySet<Trouble>} */
export const PASSING = new Set(["offline", "network", "slow", "server"]);

/**
 * @param {number | undefined} status HTTP status; 0 or undefined when no answer came
 * @returns {Trouble}
 */
export function troubleOfStatus(status) {
  if (!status) return "network";
  if (status === 404 || status === 410) return "missing";
  if (status === 401 || status === 403) return "forbidden";
  return status >= 500 ? "server" : "unknown";
}

/**
 * A failed request of hls.js.
 * @param {{ details: string, status?: number | undefined, online: boolean }} failure `details`: hls.js's
 *   ErrorDetails
 * @returns {Trouble}
 */
export function troubleOfRequest({ details, status, online }) {
  if (!online) return "offline";
  if (/incompatibleCodecs/i.test(details)) return "codec";
  if (/parsing|emptyError/i.test(details)) return "format";
  if (/timeOut$/i.test(details)) return "slow";
  const trouble = troubleOfStatus(status);
  return trouble === "missing" && details === "manifestLoadError"
    ? "absent"
    : trouble;
}
