// The messages of version 1, as docs/reference/signalling.md has them.

/** @typedef {{ description: { type: "offer" | "answer", sdp: string } }
 *   | { candidate: RTCIceCandidateInit } | { wish: "restart" }} SignalData */

/**
 * @typedef {object} Welcome
 * @property {"joined"} type
 * @property {string} room
 * @property {string} member who one is to the other side
 * @property {string} key proves the session when it comes back
 * @property {boolean} polite gives way when both make an offer at once
 * @property {boolean} resumed
 * @property {string} [peer] who is there already
 * @property {RTCIceServer[]} ice_servers
 */

/**
 * @typedef {object} Refusal
 * @property {"error"} type
 * @property {string} code
 * @property {string} message
 * @property {number} [retry_after_s]
 * @property {string} [about] the action that was refused
 */

/** @typedef {{ type: "signal", from: string, seq: number, data: SignalData }} SignalMessage */
/** @typedef {{ type: "peer-joined" | "peer-back" | "peer-left", member: string }} PeerMessage */
/** @typedef {{ type: "peer-away", member: string, kept_s: number }} AwayMessage */

/** @typedef {Welcome | Refusal | SignalMessage | PeerMessage | AwayMessage | { type: "pong" }
 *   | { type: "left" } | { type: "knock" }
 *   | { type: "relays", ice_servers: RTCIceServer[] }} Incoming */

/** @typedef {"mic" | "camera" | "screenSound"} Slot what a call can carry, one track each */
/** @typedef {Record<Slot, MediaStreamTrack | null>} Tracks */

/** What one side tells of itself over the data channel.
 * @typedef {{ mic: boolean, camera: boolean, screen: boolean }} Presence */

export {};
