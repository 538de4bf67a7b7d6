// Before the call: one's own picture, the devices, the passphrase, and the button.
import { find, say } from "../dom.js";
import { fillDevices } from "./devices.js";
import { showProblems } from "./problems.js";

/** @import { View } from "./call.js" */
/** @import { Problem } from "./media.js" */
/** @import { Tracks } from "./types.js" */

/** @typedef {ReturnType<typeof createDoor>} Door */

/** What is disabled or hidden keeps the focus for a moment, and gives it to nobody. */
const focusIsLost = () =>
  !document.activeElement?.checkVisibility() ||
  document.activeElement.matches("body, :disabled");

const WAKING = "The server is waking up…";

/**
 * @param {object} options
 * @param {HTMLElement} options.element
 * @param {(slot: "mic" | "camera", deviceId: string) => void} options.onChoose
 * @param {(what: Problem["what"]) => void} options.onRetry
 * @param {(passphrase: string | null) => void} options.onEnter
 * @param {() => void} options.onStop one does not wait any longer
 */
export function createDoor({ element, onChoose, onRetry, onEnter, onStop }) {
  const controller = new AbortController();
  const { signal } = controller;
  const mirror = find(element, "#mirror", HTMLVideoElement);
  const off = find(element, "#mirror-off", HTMLElement);
  const mic = find(element, "#door-mic", HTMLSelectElement);
  const camera = find(element, "#door-camera", HTMLSelectElement);
  const problems = find(element, "#problems", HTMLElement);
  const passphrase = find(element, "#passphrase", HTMLInputElement);
  const hint = find(element, "#passphrase-hint", HTMLElement);
  const button = find(element, "#enter-button", HTMLButtonElement);
  const stop = find(element, "#stop-waiting", HTMLButtonElement);
  const trouble = find(element, "#door-trouble", HTMLElement);
  const another = find(element, "#another", HTMLElement);

  mic.addEventListener("change", () => onChoose("mic", mic.value), { signal });
  camera.addEventListener("change", () => onChoose("camera", camera.value), {
    signal,
  });
  stop.addEventListener("click", () => onStop(), { signal });
  find(element, "#enter", HTMLFormElement).addEventListener(
    "submit",
    (event) => {
      event.preventDefault();
      onEnter(passphrase.value || null);
    },
    { signal },
  );

  return {
    element,

    /** @param {boolean} invited whether the address names a room */
    begin(invited) {
      // The words of both kinds fill the same lines, so that nothing moves.
      find(element, "#door-title", HTMLElement).textContent = invited
        ? "Join this call"
        : "Call somebody";
      find(element, "#door-text", HTMLElement).textContent = invited
        ? "Somebody waits for you in it, or will be there soon. Sound and picture go from browser to browser; nothing is recorded."
        : "Make a room, send its link to one person, and talk. Sound and picture go from browser to browser; nothing is recorded.";
      button.textContent = invited ? "Join the call" : "Make a room";
      hint.textContent = invited ? "(if you were given one)" : "(if you like)";
      another.hidden = !invited;
      say(trouble, null);
    },

    /** From now on one may go in. */
    open() {
      button.disabled = false;
    },

    /**
     * @param {View} view
     * @param {boolean} invited
     */
    show({ phase, trouble: words, patience }, invited) {
      button.disabled = phase === "joining" || phase === "full";
      const waiting = patience === "waking" ? WAKING : "One moment…";
      button.textContent = button.disabled
        ? phase === "full"
          ? "Waiting for a seat…"
          : waiting
        : invited
          ? "Join the call"
          : "Make a room";
      stop.hidden =
        !button.disabled || (phase === "joining" && patience === "asked");
      const lost =
        phase === "joining" && patience === "silent"
          ? "The server does not answer; this page keeps trying."
          : null;
      say(trouble, words ?? lost);
      if (phase === "asking") {
        passphrase.focus();
        passphrase.select();
      } else if (focusIsLost()) (stop.hidden ? button : stop).focus();
    },

    /** @param {MediaStreamTrack | null} track */
    showSelf(track) {
      mirror.srcObject = track ? new MediaStream([track]) : null;
      off.hidden = track !== null;
    },

    /** @param {Problem[]} found */
    showProblems(found) {
      showProblems(problems, found, onRetry);
      if (found.length) {
        const note = document.createElement("p");
        note.className = "problem__note";
        note.textContent = "You can join all the same: you see and hear.";
        problems.append(note);
      }
    },

    /**
     * @param {MediaDeviceInfo[]} devices
     * @param {Tracks} tracks
     */
    listDevices(devices, tracks) {
      fillDevices(mic, devices, "audioinput", tracks.mic);
      fillDevices(camera, devices, "videoinput", tracks.camera);
    },

    destroy: () => controller.abort(),
  };
}
