// What people read: for the codes of the signalling, of the devices, and of a call that fails.

/** @type {Record<string, string>} */
const REFUSALS = {
  VERSION_UNKNOWN:
    "This page is older than the server. Load it again to go on.",
  ROOM_UNKNOWN:
    "There is no such room. Rooms are forgotten a day after the last visit; ask for a new link.",
  ROOM_FULL:
    "Two people are in this room already. You get in as soon as one of them leaves.",
  SESSION_ENDED:
    "Your seat in this room was taken, perhaps by another tab of yours. Close that one, or go on there.",
  PASSPHRASE_NEEDED: "This room asks for a passphrase.",
  PASSPHRASE_WRONG: "That is not the passphrase of this room.",
  TOO_MANY_TRIES:
    "Too many wrong passphrases were tried in this room. Wait some minutes, or make another room.",
  TOO_FAST: "That was a lot at once. Wait a few seconds and try again.",
};

/**
 * @param {string} code
 * @param {string} message what the server says, for codes without words of ours
 */
export const refusalWords = (code, message) => REFUSALS[code] ?? message;

/**
 * Why there is no picture or sound of one's own, and what to do.
 * @param {"microphone" | "camera"} what
 * @param {unknown} error of getUserMedia
 */
export function deviceWords(what, error) {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError")
    return `The browser may not use your ${what}. Allow it in the address bar, then try again.`;
  if (name === "NotFoundError") return `No ${what} was found on this device.`;
  if (name === "NotReadableError" || name === "AbortError")
    return `Your ${what} is in use by another program. Close it there, then try again.`;
  if (name === "OverconstrainedError")
    return `The ${what} you chose before is no longer there.`;
  if (name === "TypeError")
    return `Browsers lend your ${what} to pages with https:// addresses only.`;
  return `Your ${what} does not start${name ? ` (${name})` : ""}.`;
}

export const SERVER_LOST =
  "The connection to the server is lost, so the two browsers cannot agree on a way. Check your network; this page keeps trying.";

/** @typedef {{ relayConfigured: boolean, relayFound: boolean, relayError: number | null,
 *   signalling: boolean }} Circumstances */

/**
 * Why two browsers cannot reach each other, and what to do.
 * @param {Circumstances} known
 */
export function pathWords({
  relayConfigured,
  relayFound,
  relayError,
  signalling,
}) {
  if (!signalling) return SERVER_LOST;
  if (!relayConfigured)
    return "Your two networks let no direct connection through, and no relay is configured here. Try another network (a phone's, say), or ask whoever runs this site to add a relay.";
  if (relayError !== null && relayError !== 701)
    return `The relay refused this call (error ${relayError}). Whoever runs this site should compare its secret with the relay's.`;
  if (!relayFound)
    return "The relay does not answer: your network may block it. Try another network.";
  return "There is a relay, but the other side does not reach it. This page keeps trying.";
}
