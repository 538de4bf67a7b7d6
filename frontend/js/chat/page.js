// Puts the call page together: the door, the room, and what happens between them.
import { connect, signalUrl } from "../api.js";
import { find, say } from "../dom.js";
import { createShell } from "../shell.js";
import { createCall, INSIDE } from "./call.js";
import { createDoor } from "./door.js";
import { createMedia } from "./media.js";
import { createQuality } from "./quality.js";
import { createRoom } from "./room.js";
import { createWords } from "./text.js";

/** @import { View } from "./call.js" */

const KEY = "millrace.call";
const ROOM = /^#([a-z0-9]{26})$/;

/** The room that the address names. It is behind the #, so that it is in no server's log. */
const roomInAddress = () => ROOM.exec(location.hash)?.[1] ?? null;

/**
 * The key of the session this tab had in a room before it was loaded again.
 * @param {string} room
 * @returns {string | null}
 */
function formerKey(room) {
  const [known, key] = (sessionStorage.getItem(KEY) ?? "").split(" ");
  return known === room && key ? key : null;
}

async function start() {
  const shell = createShell();
  if (shell.session.token() !== null)
    connect({ token: shell.session.token })
      .then((api) => api.whoAmI())
      .then((info) => shell.admit(info.roles), console.error);
  const door = createDoor({
    element: find(document, "#door", HTMLElement),
    onChoose: (slot, device) => media.choose(slot, device),
    onRetry,
    onStop: leave,
    onEnter(passphrase) {
      const id = roomInAddress();
      if (id) call.join(id, passphrase, formerKey(id));
      else call.create(passphrase);
    },
  });
  door.begin(roomInAddress() !== null);
  const url = await signalUrl();
  const policy =
    new URLSearchParams(location.search).get("relay") === "only"
      ? "relay"
      : "all";
  const media = createMedia({
    onTrack(slot, track) {
      door.showSelf(media.tracks.camera);
      room.showSelf(media);
      call.setTrack(slot, track);
    },
    onProblems(problems) {
      door.showProblems(problems);
      // What was known before one came in, the door told.
      room.showProblems(room.element.hidden ? [] : problems);
    },
    onDevices(devices) {
      door.listDevices(devices, media.tracks);
      room.listDevices(devices, media.tracks);
    },
  });
  const call = createCall({
    url,
    policy,
    tracks: media.tracks,
    onView,
    onRemote: (slot, track) => room.showRemote(slot, track),
    onText: (text) => {
      words.add("Other", text);
      room.hint();
    },
    onSession(id, key) {
      sessionStorage.setItem(KEY, `${id} ${key}`);
      if (roomInAddress() !== id) history.replaceState(null, "", `#${id}`);
    },
    presence: () => ({
      mic: media.micOn,
      camera: media.cameraOn,
      screen: media.sharing,
    }),
  });
  const words = createWords({
    element: find(document, "#words-panel", HTMLElement),
    onSay: (text) => call.say(text),
  });
  const room = createRoom({
    element: find(document, "#room", HTMLElement),
    media,
    onChoose: (slot, device) => media.choose(slot, device),
    onRetry,
    onLeave: leave,
  });
  const quality = createQuality({
    element: find(document, "#quality", HTMLElement),
    connection: call.connection,
    sharing: () => media.sharing,
    onRating: (grade, text) => room.showRating(grade, text),
  });

  function leave() {
    sessionStorage.removeItem(KEY);
    call.leave();
    words.clear();
  }

  /** @param {import("./media.js").Problem["what"]} what */
  function onRetry(what) {
    media.choose(what === "microphone" ? "mic" : "camera", "");
  }

  /** @param {View} view */
  function onView(view) {
    const inside = INSIDE.includes(view.phase);
    const wasInside = !room.element.hidden;
    room.element.hidden = !inside;
    door.element.hidden = inside;
    document.body.toggleAttribute("data-inside", inside);
    door.show(view, roomInAddress() !== null);
    room.show(view);
    if (inside && !wasInside) room.enter(view);
    if (view.phase !== "talking") words.enable(false);
    else words.enable(true);
  }

  addEventListener("hashchange", () => {
    call.leave();
    door.begin(roomInAddress() !== null);
  });
  // A page that is closed does not leave: it may be loaded again, and its seat is kept for a while.
  door.open();
  await media.open();
  return {
    call,
    media,
    quality,
    destroy: () => [call, media, quality].forEach((part) => part.destroy()),
  };
}

start().catch((error) => {
  const trouble = find(document, "#door-trouble", HTMLElement);
  say(trouble, error instanceof Error ? error.message : "This page failed.");
  console.error(error);
});
