// What a failure of playback means to the person watching.

/**
 * @typedef {"network" | "missing" | "forbidden" | "server" | "decode" | "unsupported" | "unknown"} Trouble
 */

/** @type {Record<Trouble, { title: string, text: string }>} */
export const MESSAGES = {
  network: {
    title: "The connection is gone",
    text: "The next part of the video does not arrive. Check the network; playback goes on from here.",
  },
  missing: {
    title: "A part of the video is missing",
    text: "The server does not have it (404). The video may have been deleted.",
  },
  forbidden: {
    title: "The video may not be read",
    text: "The server refuses to hand it out (403).",
  },
  server: {
    title: "The server has trouble",
    text: "It answers with an error instead of the video. It may pass.",
  },
  decode: {
    title: "The video cannot be decoded",
    text: "This browser gives up on its data, even after starting its decoder afresh.",
  },
  unsupported: {
    title: "This browser cannot play it",
    text: "It has neither Media Source Extensions nor HLS of its own. A current version will do.",
  },
  unknown: {
    title: "Playback stopped",
    text: "Something unexpected went wrong.",
  },
};

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
