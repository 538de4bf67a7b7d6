// One RTCPeerConnection: "perfect negotiation", tracks by slot, repair of a broken path.
//
// The impolite side makes three transceivers (microphone, picture, sound of a shared screen); the
// polite side takes them out of the offer. Whatever is switched on, off or exchanged later is
// `replaceTrack`: nothing is negotiated again.

/** @import { SignalData, Slot, Tracks } from "./types.js" */

/** @type {readonly Slot[]} */
const SLOTS = ["mic", "camera", "screenSound"];
const PATIENCE_MS = 2000;
const NEXT_REPAIR_MS = 5000;
const REPAIRS_BEFORE_WORDS = 2;
const MOST_EARLY_CANDIDATES = 100;

/**
 * @typedef {object} PeerOptions
 * @property {boolean} polite
 * @property {RTCIceServer[]} servers
 * @property {() => Promise<RTCIceServer[]>} freshServers
 * @property {(data: SignalData) => void} send
 * @property {Tracks} tracks
 * @property {(slot: Slot, track: MediaStreamTrack) => void} onTrack of the other side
 * @property {(state: RTCPeerConnectionState) => void} onState
 * @property {(broken: boolean) => void} onBroken repairs were tried and did not help; or they did
 * @property {RTCIceTransportPolicy} [policy]
 */

/** @typedef {ReturnType<typeof createPeer>} Peer */

/** @param {PeerOptions} options */
export function createPeer({
  polite,
  servers,
  freshServers,
  send,
  tracks,
  onTrack,
  onState,
  onBroken,
  policy = "all",
}) {
  const connection = new RTCPeerConnection({
    iceServers: servers,
    iceTransportPolicy: policy,
    bundlePolicy: "max-bundle",
  });
  const channel = connection.createDataChannel("words", {
    negotiated: true,
    id: 0,
  });
  const facts = {
    relayConfigured: hasRelay(servers),
    relayFound: false,
    /** @type {number | null} */
    relayError: null,
  };
  let makingOffer = false;
  let ignoringOffer = false;
  let lastDescription = -1;
  let repairs = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let repairTimer;
  /** @type {RTCIceCandidateInit[]} */
  let early = [];
  /** What arrived is worked off one by one, in the order in which it arrived. */
  let queue = Promise.resolve();

  if (!polite)
    for (const slot of SLOTS)
      connection.addTransceiver(slot === "camera" ? "video" : "audio", {
        direction: "sendrecv",
      });

  connection.onnegotiationneeded = () => {
    // The polite side waits for the transceivers of the other.
    if (polite && connection.getTransceivers().length === 0) return;
    offer().catch(complain);
  };
  connection.onicecandidate = ({ candidate }) => {
    if (candidate?.type === "relay") facts.relayFound = true;
    if (candidate) send({ candidate: plain(candidate) });
  };
  connection.onicecandidateerror = ({ errorCode, url }) => {
    if (/^turns?:/.test(url)) facts.relayError = errorCode;
  };
  connection.ontrack = ({ transceiver, track }) => {
    const slot = SLOTS[connection.getTransceivers().indexOf(transceiver)];
    if (slot) onTrack(slot, track);
  };
  connection.onconnectionstatechange = () => {
    const state = connection.connectionState;
    if (state === "connected") {
      clearTimeout(repairTimer);
      repairs = 0;
      onBroken(false);
    } else if (state === "failed") repair();
    else if (state === "disconnected") {
      clearTimeout(repairTimer);
      repairTimer = setTimeout(repair, PATIENCE_MS);
    }
    onState(state);
  };
  // Of two who wait for each other, the one who makes the offers acts first.
  repairTimer = setTimeout(repair, (polite ? 2.5 : 2) * NEXT_REPAIR_MS);

  async function offer() {
    makingOffer = true;
    try {
      await applyTracks();
      await connection.setLocalDescription();
      sendDescription();
    } finally {
      makingOffer = false;
    }
  }

  function sendDescription() {
    const description = connection.localDescription;
    if (description?.type === "offer" || description?.type === "answer")
      send({ description: { type: description.type, sdp: description.sdp } });
  }

  async function applyTracks() {
    for (const slot of SLOTS) await setTrack(slot, tracks[slot]);
  }

  /**
   * @param {Slot} slot
   * @param {MediaStreamTrack | null} track
   */
  async function setTrack(slot, track) {
    tracks[slot] = track;
    const transceiver = connection.getTransceivers()[SLOTS.indexOf(slot)];
    if (!transceiver || connection.signalingState === "closed") return;
    if (transceiver.direction !== "sendrecv")
      transceiver.direction = "sendrecv";
    if (transceiver.sender.track !== track)
      await transceiver.sender.replaceTrack(track);
  }

  /**
   * @param {RTCSessionDescriptionInit} description
   * @param {number} seq
   */
  async function takeDescription(description, seq) {
    if (seq < lastDescription) return; // overtaken by a later one
    const collision =
      description.type === "offer" &&
      (makingOffer || connection.signalingState !== "stable");
    ignoringOffer = !polite && collision;
    if (ignoringOffer) return;
    if (
      description.type === "answer" &&
      connection.signalingState !== "have-local-offer"
    )
      return; // the answer to an offer that was repeated
    lastDescription = seq;
    await connection.setRemoteDescription(description);
    if (description.type === "offer") {
      await applyTracks();
      await connection.setLocalDescription();
      sendDescription();
    }
    for (const candidate of early.splice(0)) await takeCandidate(candidate);
  }

  /** @param {RTCIceCandidateInit} candidate */
  async function takeCandidate(candidate) {
    const sdp = connection.remoteDescription?.sdp ?? "";
    const fragment = candidate.usernameFragment;
    if (!sdp || (fragment && !sdp.includes(`a=ice-ufrag:${fragment}`))) {
      if (early.length < MOST_EARLY_CANDIDATES) early.push(candidate);
      return;
    }
    try {
      await connection.addIceCandidate(candidate);
    } catch (error) {
      if (!ignoringOffer) throw error;
    }
  }

  /** Finds the way anew: with fresh credentials, as the old ones may have expired. */
  async function repair() {
    clearTimeout(repairTimer);
    if (connection.connectionState === "closed") return;
    repairTimer = setTimeout(repair, NEXT_REPAIR_MS * Math.min(++repairs, 4));
    if (connection.connectionState === "connected") {
      clearTimeout(repairTimer);
      return;
    }
    if (repairs > REPAIRS_BEFORE_WORDS) onBroken(true);
    await renewServers();
    if (polite) send({ wish: "restart" });
    else restart();
  }

  async function renewServers() {
    const late = new Promise((resolve) => setTimeout(resolve, 2000, null));
    const fresh = await Promise.race([freshServers(), late]);
    if (!fresh || connection.signalingState === "closed") return;
    connection.setConfiguration({
      ...connection.getConfiguration(),
      iceServers: fresh,
    });
    facts.relayConfigured = hasRelay(fresh);
    facts.relayError = null;
  }

  function restart() {
    if (connection.signalingState === "closed") return;
    if (connection.signalingState === "have-local-offer") sendDescription();
    else connection.restartIce();
  }

  return {
    connection,
    channel,
    facts,
    setTrack,

    /**
     * @param {SignalData} data
     * @param {number} seq
     */
    receive(data, seq) {
      queue = queue
        .then(async () => {
          if ("description" in data)
            await takeDescription(data.description, seq);
          else if ("candidate" in data) await takeCandidate(data.candidate);
          else restart();
        })
        .catch(complain);
    },

    /** After the signalling of either side came back: what was said meanwhile may be lost. */
    mend() {
      if (connection.connectionState !== "connected") repair();
    },

    /** The network changed under a path that may still look alive. */
    reroute() {
      if (polite) send({ wish: "restart" });
      else restart();
    },

    destroy() {
      clearTimeout(repairTimer);
      channel.close();
      connection.close();
    },
  };
}

/** @param {RTCIceServer[]} servers */
const hasRelay = (servers) =>
  servers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url)));

/**
 * What the schema allows of a candidate.
 * @param {RTCIceCandidate} candidate
 */
function plain({ candidate, sdpMid, sdpMLineIndex, usernameFragment }) {
  return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
}

/** @param {unknown} error */
function complain(error) {
  if (error instanceof DOMException && error.name === "InvalidStateError")
    return; // the connection was closed meanwhile
  console.error(error);
}
