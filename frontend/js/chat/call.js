// A call from the door to the last word: signalling on one side, the peer connection on the other.
import { createPatience } from "./patience.js";
import { createPeer } from "./peer.js";
import { createSignalling } from "./signalling.js";
import { pathWords, refusalWords } from "./words.js";

/** @import { Patience } from "./patience.js" */
/** @import { Peer } from "./peer.js" */
/** @import { Incoming, Presence, Refusal, SignalMessage, Slot, Tracks, Welcome } from "./types.js" */

/** @typedef {"outside" | "joining" | "asking" | "full" | "waiting" | "connecting" | "talking"
 *   | "away"} Phase */

/**
 * @typedef {object} View what the page shows
 * @property {Phase} phase
 * @property {string | null} room
 * @property {string | null} trouble words: why it does not go on, and what to do
 * @property {boolean} reachable whether the server is
 * @property {Patience} patience with the server, while joining
 * @property {Presence | null} other what the other side says of itself
 */

/** @type {readonly Phase[]} */
export const INSIDE = ["waiting", "connecting", "talking", "away"];
const MOST_TEXT = 4000;
const MOST_EARLY = 200;

/** @typedef {ReturnType<typeof createCall>} Call */

/**
 * @param {object} options
 * @param {string} options.url of the signalling
 * @param {Tracks} options.tracks
 * @param {(view: View) => void} options.onView
 * @param {(slot: Slot, track: MediaStreamTrack | null) => void} options.onRemote
 * @param {(text: string) => void} options.onText
 * @param {(room: string, key: string) => void} options.onSession to come back after a reload
 * @param {() => Presence} options.presence
 * @param {RTCIceTransportPolicy} [options.policy]
 */
export function createCall({
  url,
  tracks,
  onView,
  onRemote,
  onText,
  onSession,
  presence,
  policy = "all",
}) {
  const controller = new AbortController();
  /** @type {View} */
  const view = {
    phase: "outside",
    room: null,
    trouble: null,
    reachable: true,
    patience: "asked",
    other: null,
  };
  /** @type {Peer | null} */
  let peer = null;
  /** @type {string | null} */
  let member = null;
  let polite = false;
  /** @type {SignalMessage[]} */
  const early = [];
  /** @type {RTCIceServer[]} */
  let servers = [];
  /** @type {{ room: string, passphrase: string | null, key: string | null } | null} */
  let asked = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retryTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let awayTimer;

  const patience = createPatience((patience) => show({ patience }));
  const signalling = createSignalling({
    url,
    onJoined,
    onMessage,
    onRefused,
    onOpen(open) {
      if (view.reachable !== open) show({ reachable: open });
    },
  });
  // From one network to another the old path may look alive for a while.
  const network = /** @type {(EventTarget & { type?: string }) | undefined} */ (
    Reflect.get(navigator, "connection")
  );
  let networkType = network?.type;
  network?.addEventListener(
    "change",
    () => {
      // It fires for every new estimate of speed, too.
      if (network.type !== networkType) peer?.reroute();
      networkType = network.type;
    },
    { signal: controller.signal },
  );
  addEventListener("online", () => peer?.reroute(), {
    signal: controller.signal,
  });

  /** @param {Partial<View>} change */
  function show(change) {
    Object.assign(view, change);
    onView({ ...view });
  }

  /** @param {Welcome} welcome */
  function onJoined(welcome) {
    clearTimeout(retryTimer);
    patience.end();
    polite = welcome.polite;
    servers = welcome.ice_servers;
    onSession(welcome.room, welcome.key);
    show({ room: welcome.room, trouble: null });
    if (!welcome.resumed) {
      // News of the other side may have overtaken the welcome: they hold.
      const met = member;
      member = null;
      meet(welcome.peer ?? met);
    } else if (welcome.peer) {
      if (welcome.peer === member) peer?.mend();
      else meet(welcome.peer);
    } else if (!isTalking()) part();
  }

  /** @param {string | null} other the member on the other side; null: nobody yet */
  function meet(other) {
    if (other !== null && other === member) return;
    if (other === null) {
      if (!peer) show({ phase: "waiting" });
      return;
    }
    drop();
    member = other;
    peer = createPeer({
      polite,
      servers,
      policy,
      tracks,
      freshServers: signalling.relays,
      send: signalling.signal,
      onTrack: onRemote,
      onState,
      onBroken,
    });
    listen(peer.channel);
    for (const { from, data, seq } of early.splice(0))
      if (from === other) peer.receive(data, seq);
    show({ phase: "connecting", trouble: null, other: null });
  }

  /** The other side is gone for good. */
  function part() {
    drop();
    show({ phase: "waiting", trouble: null, other: null });
  }

  function drop() {
    clearTimeout(awayTimer);
    peer?.destroy();
    peer = member = null;
    for (const slot of /** @type {const} */ (["mic", "camera", "screenSound"]))
      onRemote(slot, null);
  }

  const isTalking = () => peer?.connection.connectionState === "connected";

  /** @param {Incoming} message */
  function onMessage(message) {
    switch (message.type) {
      case "peer-joined":
        if (view.phase === "joining") member = message.member;
        else meet(message.member);
        break;
      case "peer-back":
        clearTimeout(awayTimer);
        if (message.member !== member) meet(message.member);
        else {
          if (!isTalking()) show({ phase: "connecting" });
          peer?.mend();
        }
        break;
      case "peer-left":
        if (message.member === member) part();
        break;
      case "peer-away":
        if (message.member === member) away(message.kept_s);
        break;
      case "signal":
        if (peer && message.from === member)
          peer.receive(message.data, message.seq);
        // It overtook the news of who sends it, or is the last of somebody who left.
        else if (early.length < MOST_EARLY) early.push(message);
        break;
    }
  }

  /**
   * The other side's socket dropped. If the path holds, only its signalling is away.
   * @param {number} kept_s
   */
  function away(kept_s) {
    clearTimeout(awayTimer);
    awayTimer = setTimeout(() => {
      if (!isTalking()) part();
    }, kept_s * 1000);
    if (!isTalking()) show({ phase: "away" });
  }

  /** @param {RTCPeerConnectionState} state */
  function onState(state) {
    if (state === "connected") show({ phase: "talking", trouble: null });
    else if (state === "disconnected" || state === "failed")
      show({ phase: "away" });
  }

  /** @param {boolean} broken */
  function onBroken(broken) {
    if (!broken || !peer) return show({ trouble: null });
    const words = pathWords({ ...peer.facts, signalling: view.reachable });
    return show({ trouble: words });
  }

  /** @param {RTCDataChannel} channel */
  function listen(channel) {
    channel.addEventListener("open", tellPresence);
    channel.addEventListener("message", ({ data }) => {
      if (typeof data !== "string" || data.length > 4 * MOST_TEXT) return;
      /** @type {unknown} */
      let said;
      try {
        said = JSON.parse(data);
      } catch {
        return;
      }
      if (typeof said !== "object" || said === null) return;
      const { text, mic, camera, screen } = /** @type {any} */ (said);
      if (typeof text === "string") onText(text.slice(0, MOST_TEXT));
      else
        show({
          other: {
            mic: mic === true,
            camera: camera === true,
            screen: screen === true,
          },
        });
    });
  }

  function tellPresence() {
    if (peer?.channel.readyState === "open")
      peer.channel.send(JSON.stringify(presence()));
  }

  /** @param {Refusal} refusal */
  function onRefused(refusal) {
    if (refusal.code === "SESSION_ENDED" && !refusal.about) return expelled();
    if (refusal.about !== "join" && refusal.about !== "create") {
      if (refusal.code === "VERSION_UNKNOWN" || refusal.code === "ROOM_UNKNOWN")
        show({ trouble: refusalWords(refusal.code, refusal.message) });
      return;
    }
    if (INSIDE.includes(view.phase)) {
      // The session ended while this side was away, and there is no way back in.
      if (refusal.code === "ROOM_FULL") return expelled();
      drop();
    }
    patience.end();
    const trouble = refusalWords(refusal.code, refusal.message);
    if (refusal.code === "ROOM_FULL") {
      show({ phase: "full", trouble });
      const wait_ms = 1000 * (refusal.retry_after_s ?? 5);
      retryTimer = setTimeout(askAgain, wait_ms);
    } else if (refusal.code.startsWith("PASSPHRASE_"))
      show({ phase: "asking", trouble });
    else show({ phase: "outside", trouble });
  }

  /** Somebody else has this seat. To wait for another one is for people to decide: it may be the
   * same person who sits there. */
  function expelled() {
    signalling.leave();
    drop();
    show({
      phase: "outside",
      trouble: refusalWords("SESSION_ENDED", ""),
      other: null,
    });
  }

  function askAgain() {
    if (asked) signalling.join(asked.room, asked.passphrase, asked.key);
  }

  return {
    /** @param {string | null} passphrase */
    create(passphrase) {
      show({ phase: "joining", trouble: null });
      patience.begin();
      signalling.create(passphrase);
    },

    /**
     * @param {string} room
     * @param {string | null} passphrase
     * @param {string | null} key
     */
    join(room, passphrase, key) {
      asked = { room, passphrase, key };
      show({ phase: "joining", trouble: null, room });
      patience.begin();
      askAgain();
    },

    /**
     * @param {Slot} slot
     * @param {MediaStreamTrack | null} track
     */
    setTrack(slot, track) {
      peer?.setTrack(slot, track).catch((error) => console.error(error));
      tellPresence();
    },

    tellPresence,

    /**
     * @param {string} text
     * @returns {boolean} whether it was sent
     */
    say(text) {
      if (peer?.channel.readyState !== "open") return false;
      peer.channel.send(JSON.stringify({ text: text.slice(0, MOST_TEXT) }));
      return true;
    },

    /** @returns {RTCPeerConnection | null} */
    connection: () => peer?.connection ?? null,

    leave() {
      clearTimeout(retryTimer);
      patience.end();
      signalling.leave();
      drop();
      show({ phase: "outside", trouble: null, other: null });
    },

    destroy() {
      controller.abort();
      clearTimeout(retryTimer);
      clearTimeout(awayTimer);
      patience.end();
      signalling.destroy();
      peer?.destroy();
    },
  };
}
