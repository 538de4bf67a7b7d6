// During the call: both pictures, the card that says what one waits for, and the controls.
import { find, say } from "../dom.js";
import { fillDevices } from "./devices.js";
import { showProblems } from "./problems.js";
import { SERVER_LOST } from "./words.js";

/** @import { View } from "./call.js" */
/** @import { Media, Problem } from "./media.js" */
/** @import { Grade } from "./readings.js" */
/** @import { Slot, Tracks } from "./types.js" */

const SAID_MS = 4000;
const NOBODY_CAN_JOIN =
  "The connection to the server is lost: until it is back, nobody can join. Check your network; this page keeps trying.";

/** @type {Partial<Record<View["phase"], [title: string, text: string]>>} */
const CARDS = {
  waiting: [
    "Waiting for the other person",
    "Send them this link. The call begins as soon as they join.",
  ],
  connecting: ["Connecting…", "The two browsers are looking for a way."],
  away: [
    "The other side is away",
    "Their connection was lost. The call goes on as soon as they are back.",
  ],
};

/** @typedef {ReturnType<typeof createRoom>} Room */

/**
 * @param {object} options
 * @param {HTMLElement} options.element
 * @param {Media} options.media
 * @param {(slot: "mic" | "camera", deviceId: string) => void} options.onChoose
 * @param {(what: Problem["what"]) => void} options.onRetry
 * @param {() => void} options.onLeave
 */
export function createRoom({ element, media, onChoose, onRetry, onLeave }) {
  const controller = new AbortController();
  const { signal } = controller;
  const far = find(element, "#far", HTMLVideoElement);
  const farScreen = find(element, "#far-screen", HTMLAudioElement);
  const near = find(element, "#near", HTMLVideoElement);
  const card = find(element, "#card", HTMLElement);
  const title = find(card, "#card-title", HTMLElement);
  const text = find(card, "#card-text", HTMLElement);
  const copyButton = find(card, "#copy", HTMLButtonElement);
  const heading = find(element, "#room-title", HTMLElement);
  const problems = find(element, "#room-problems", HTMLElement);
  const invite = find(card, "#invite", HTMLElement);
  const link = find(card, "#link", HTMLInputElement);
  const line = find(element, "#line", HTMLElement);
  const badges = find(element, "#far-badges", HTMLElement);
  const buttons = {
    mic: find(element, "#mic", HTMLButtonElement),
    camera: find(element, "#camera", HTMLButtonElement),
    screen: find(element, "#screen", HTMLButtonElement),
    words: find(element, "#words", HTMLButtonElement),
    meter: find(element, "#meter", HTMLButtonElement),
  };
  const rating = find(element, "#rating", HTMLElement);
  const meterText = find(element, "#meter-text", HTMLElement);
  const panels = {
    words: find(element, "#words-panel", HTMLElement),
    meter: find(element, "#quality", HTMLElement),
  };
  const mic = find(element, "#room-mic", HTMLSelectElement);
  const camera = find(element, "#room-camera", HTMLSelectElement);
  /** @type {Tracks} */
  const remote = { mic: null, camera: null, screenSound: null };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let saidTimer;

  /**
   * @param {Element} target
   * @param {() => unknown} act
   */
  const onClick = (target, act) =>
    target.addEventListener("click", () => act(), { signal });
  onClick(buttons.mic, media.toggleMic);
  onClick(buttons.camera, media.toggleCamera);
  onClick(buttons.screen, share);
  onClick(buttons.words, () => toggle("words"));
  onClick(buttons.meter, () => toggle("meter"));
  onClick(find(element, "#leave", HTMLButtonElement), onLeave);
  onClick(copyButton, copy);
  mic.addEventListener("change", () => onChoose("mic", mic.value), { signal });
  camera.addEventListener("change", () => onChoose("camera", camera.value), {
    signal,
  });

  async function share() {
    if (media.sharing) media.stopSharing();
    else hintFor(await media.share());
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(link.value);
      hintFor("The link is copied.");
    } catch {
      link.select();
      hintFor("Copy the marked link.");
    }
  }

  /** @param {string | null} words shown for a few seconds */
  function hintFor(words) {
    if (words === null) return;
    clearTimeout(saidTimer);
    line.textContent = words;
    saidTimer = setTimeout(() => (line.textContent = ""), SAID_MS);
  }

  /** @param {"words" | "meter"} which one panel at a time */
  function toggle(which) {
    for (const name of /** @type {const} */ (["words", "meter"])) {
      const open = name === which && panels[name].hidden;
      panels[name].hidden = !open;
      buttons[name].setAttribute("aria-expanded", String(open));
      if (open) buttons[name].removeAttribute("data-news");
    }
    element.toggleAttribute(
      "data-panel",
      !panels.words.hidden || !panels.meter.hidden,
    );
    if (!panels.words.hidden) panels.words.querySelector("input")?.focus();
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {boolean} on
   */
  const press = (button, on) => button.setAttribute("aria-pressed", String(on));

  /** @param {View} view */
  function showCard(view) {
    const words = CARDS[view.phase];
    const waiting = view.phase === "waiting";
    const lost = waiting ? NOBODY_CAN_JOIN : SERVER_LOST;
    const trouble = view.trouble ?? (words && !view.reachable ? lost : null);
    card.hidden = !words && !trouble;
    title.textContent = trouble ? "No connection" : (words?.[0] ?? "");
    text.textContent = trouble ?? words?.[1] ?? "";
    const focused = invite.contains(document.activeElement);
    invite.hidden = !waiting;
    if (focused && invite.hidden) heading.focus();
  }

  return {
    element,

    /** @param {View} view */
    show(view) {
      element.dataset["phase"] = view.phase;
      link.value = location.href;
      showCard(view);
      const { other } = view;
      say(
        badges,
        [
          other && !other.mic && "microphone off",
          other && !other.camera && !other.screen && "camera off",
          other?.screen && "shares the screen",
          !view.reachable &&
            view.phase === "talking" &&
            "server lost, call goes on",
        ]
          .filter(Boolean)
          .join(" · ") || null,
      );
      element.toggleAttribute("data-screen", other?.screen ?? false);
      far.toggleAttribute(
        "data-dark",
        other !== null && !other.camera && !other.screen,
      );
    },

    /**
     * One came in: what is to be done first has the focus.
     * @param {View} view
     */
    enter(view) {
      (view.phase === "waiting" ? copyButton : heading).focus();
      showProblems(problems, [], onRetry);
    },

    /** @param {Problem[]} found */
    showProblems: (found) => showProblems(problems, found, onRetry),

    /**
     * @param {Slot} slot
     * @param {MediaStreamTrack | null} track
     */
    showRemote(slot, track) {
      remote[slot] = track;
      if (slot === "screenSound") {
        farScreen.srcObject = track ? new MediaStream([track]) : null;
        return;
      }
      const found = [remote.mic, remote.camera].filter((one) => one !== null);
      far.srcObject = found.length ? new MediaStream(found) : null;
    },

    /** @param {Media} shown */
    showSelf({ tracks, sharing, micOn, cameraOn }) {
      near.srcObject = tracks.camera ? new MediaStream([tracks.camera]) : null;
      near.toggleAttribute("data-mirrored", !sharing);
      near.hidden = tracks.camera === null;
      press(buttons.mic, micOn);
      press(buttons.camera, cameraOn);
      press(buttons.screen, sharing);
    },

    /**
     * @param {MediaDeviceInfo[]} devices
     * @param {Tracks} tracks
     */
    listDevices(devices, tracks) {
      fillDevices(mic, devices, "audioinput", tracks.mic);
      if (!media.sharing)
        fillDevices(camera, devices, "videoinput", tracks.camera);
    },

    /**
     * @param {Grade} grade
     * @param {string} words
     */
    showRating(grade, words) {
      buttons.meter.dataset["grade"] = grade;
      meterText.textContent = words.split(":")[0] || "Quality";
      rating.textContent = words;
    },

    /** Something was written while the panel is closed. */
    hint() {
      if (panels.words.hidden) buttons.words.setAttribute("data-news", "");
    },

    destroy: () => controller.abort(),
  };
}
