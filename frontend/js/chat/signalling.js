// The WebSocket to the server: joins, comes back after a drop, renews itself before the server's
// two hours are over, and notices when it is dead. The call's media do not depend on it.

/** @import { Welcome, Refusal, Incoming, SignalData } from "./types.js" */

export const LIMITS = {
  /** The server closes what is idle for ten minutes; routers forget far earlier. */
  ping_ms: 30_000,
  /** A function that starts cold takes its time to say welcome. */
  open_ms: 20_000,
  /** Without an answer by then the socket is dead. */
  pong_ms: 8_000,
  /** Before the server's own limit of two hours. */
  renew_ms: 110 * 60_000,
  retry_ms: [300, 700, 1500, 3000, 6000, 10_000],
};
const MOST_WAITING = 200;
/** API Gateway's of a frame, and a browser sends a message as one: on more it closes the socket. */
export const MAX_MESSAGE_BYTES = 32 * 1024;

/**
 * @typedef {object} SignallingOptions
 * @property {string} url
 * @property {(welcome: Welcome) => void} onJoined also after coming back (`resumed`)
 * @property {(message: Incoming) => void} onMessage of or about the other side
 * @property {(refusal: Refusal) => void} onRefused
 * @property {(open: boolean) => void} onOpen whether the server can be reached
 * @property {typeof WebSocket} [Socket] for tests
 * @property {typeof LIMITS} [limits] for tests
 */

/** @typedef {ReturnType<typeof createSignalling>} Signalling */

/** @param {SignallingOptions} options */
export function createSignalling({
  url,
  onJoined,
  onMessage,
  onRefused,
  onOpen,
  Socket = WebSocket,
  limits = LIMITS,
}) {
  const controller = new AbortController();
  /** @type {WebSocket | null} */
  let socket = null;
  /** @type {Record<string, unknown> | null} what to ask for on a new socket */
  let wish = null;
  /** @type {{ room: string, key: string, member: string } | null} */
  let session = null;
  /** @type {object[]} */
  let waiting = [];
  /** @type {((servers: RTCIceServer[]) => void)[]} */
  let relayAskers = [];
  let seq = 0;
  let failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retryTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pingTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pongTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let renewTimer;

  globalThis.addEventListener?.("online", () => retryNow(), {
    signal: controller.signal,
  });

  /**
   * @param {WebSocket} target
   * @param {object} message
   */
  function post(target, message) {
    const text = JSON.stringify({ v: 1, ...message });
    const size_bytes = new TextEncoder().encode(text).length;
    if (size_bytes <= MAX_MESSAGE_BYTES) target.send(text);
    else console.error(`A message of ${size_bytes} bytes is not sent.`);
  }

  function ask() {
    return session
      ? { action: "resume", room: session.room, key: session.key }
      : wish;
  }

  /** Opens a socket; it becomes the one in use when the server welcomes it. */
  function open() {
    clearTimeout(retryTimer);
    const opening = new Socket(url);
    /** @type {ReturnType<typeof setTimeout>} */
    const tooLong = setTimeout(() => opening.close(), limits.open_ms);
    opening.addEventListener("open", () => {
      const question = ask();
      if (question) post(opening, question);
      else opening.close();
    });
    opening.addEventListener("message", (event) => {
      clearTimeout(tooLong);
      receive(opening, String(event.data));
    });
    opening.addEventListener("close", () => {
      clearTimeout(tooLong);
      closed(opening);
    });
    if (!socket) socket = opening;
  }

  /** @param {WebSocket} ended */
  function closed(ended) {
    if (ended !== socket) return;
    socket = null;
    stopTimers();
    onOpen(false);
    if (wish && !controller.signal.aborted) retryLater();
  }

  function retryLater() {
    const step = Math.min(failures, limits.retry_ms.length - 1);
    const wait_ms = (limits.retry_ms[step] ?? 0) * (0.75 + Math.random() / 2);
    failures += 1;
    retryTimer = setTimeout(open, wait_ms);
  }

  function retryNow() {
    if (wish && !socket) open();
  }

  function stopTimers() {
    for (const timer of [pingTimer, pongTimer, renewTimer]) clearTimeout(timer);
  }

  /**
   * @param {WebSocket} from
   * @param {string} text
   */
  function receive(from, text) {
    /** @type {Incoming} */
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (message.type === "left") from.close();
    else if (wish === null)
      return; // this side left; what comes now is late
    else if (message.type === "joined") welcome(from, message);
    else if (message.type === "pong") clearTimeout(pongTimer);
    else if (message.type === "relays") {
      for (const answer of relayAskers.splice(0)) answer(message.ice_servers);
    } else if (message.type === "error") refused(from, message);
    // What API Gateway itself says: the function failed. Another try is another socket.
    else if (!message.type) from.close();
    else if (message.type !== "knock") onMessage(message);
  }

  /**
   * @param {WebSocket} from
   * @param {Welcome} message
   */
  function welcome(from, message) {
    const former = socket;
    socket = from;
    if (former && former !== from) former.close();
    failures = 0;
    if (!message.resumed) {
      seq = 0;
      waiting = [];
    }
    session = {
      room: message.room,
      key: message.key,
      member: message.member,
    };
    wish = { ...wish, action: "join", room: message.room };
    stopTimers();
    keepAlive(from);
    renewTimer = setTimeout(open, limits.renew_ms);
    onOpen(true);
    onJoined(message);
    for (const item of waiting.splice(0)) post(from, item);
  }

  /** @param {WebSocket} used */
  function keepAlive(used) {
    pingTimer = setTimeout(() => {
      if (used !== socket) return;
      post(used, { action: "ping" });
      pongTimer = setTimeout(() => {
        // A dead network answers no close either: do not wait for it.
        used.close();
        closed(used);
      }, limits.pong_ms);
      keepAlive(used);
    }, limits.ping_ms);
  }

  /**
   * @param {WebSocket} from
   * @param {Refusal} refusal
   */
  function refused(from, refusal) {
    if (refusal.code === "SESSION_ENDED" && !refusal.about) {
      // Another tab has the seat: two that come back in turn would throw each other out.
      wish = session = socket = null;
      waiting = [];
      stopTimers();
      from.close();
    }
    if (refusal.about === "resume") {
      // The seat is lost, the passphrase is still known: come in as somebody new.
      session = null;
      if (refusal.code === "SESSION_ENDED" && wish) {
        post(from, wish);
        return;
      }
    }
    onRefused(refusal);
  }

  /** @param {object} message */
  function send(message) {
    if (
      session &&
      socket &&
      socket.readyState === Socket.OPEN &&
      failures === 0
    )
      post(socket, message);
    else if (waiting.length < MOST_WAITING) waiting.push(message);
  }

  /** @param {Record<string, unknown>} question */
  function begin(question) {
    wish = question;
    session = null;
    if (socket && socket.readyState === Socket.OPEN) post(socket, question);
    else if (!socket) open();
  }

  return {
    /** @param {string | null} passphrase */
    create: (passphrase) =>
      begin({ action: "create", ...(passphrase && { passphrase }) }),

    /**
     * @param {string} room
     * @param {string | null} passphrase
     * @param {string | null} key of the session this tab had before it was loaded again
     */
    join: (room, passphrase, key) =>
      begin({
        action: "join",
        room,
        ...(passphrase && { passphrase }),
        ...(key && { key }),
      }),

    /** @param {SignalData} data */
    signal: (data) => send({ action: "signal", seq: seq++, data }),

    /** @returns {Promise<RTCIceServer[]>} with fresh credentials; never, while the server is away */
    relays: () =>
      new Promise((answer) => {
        relayAskers.push(answer);
        send({ action: "relays" });
      }),

    /** Gives the seat up. The socket is closed by the answer: its end must not overtake this. */
    leave() {
      const leaving = socket;
      if (leaving && leaving.readyState === Socket.OPEN && session) {
        post(leaving, { action: "leave" });
        setTimeout(() => leaving.close(), limits.pong_ms);
      } else leaving?.close();
      wish = session = socket = null;
      waiting = [];
      clearTimeout(retryTimer);
      stopTimers();
    },

    destroy() {
      controller.abort();
      this.leave();
    },
  };
}
