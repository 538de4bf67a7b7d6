// The call page's logic without a browser: the socket's life, the readings, the adaptation.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createAdaptation,
  STEPS,
} from "../../../frontend/js/chat/adaptation.js";
import {
  createPatience,
  SILENT_MS,
  WAKING_MS,
} from "../../../frontend/js/chat/patience.js";
import { rate, readingOf } from "../../../frontend/js/chat/readings.js";
import {
  createSignalling,
  MAX_MESSAGE_BYTES,
} from "../../../frontend/js/chat/signalling.js";
import { deviceWords, pathWords } from "../../../frontend/js/chat/words.js";

/** A WebSocket whose other end is the test. */
class FakeSocket extends EventTarget {
  static OPEN = 1;
  /** @type {FakeSocket[]} */
  static all = [];

  readyState = 0;
  /** @type {any[]} */
  sent = [];

  /** @param {string} url */
  constructor(url) {
    super();
    this.url = url;
    FakeSocket.all.push(this);
  }

  /** @param {string} text */
  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  open() {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  end() {
    this.readyState = 3;
    this.dispatchEvent(new Event("close"));
  }

  /** @param {object} message */
  hear(message) {
    const data = JSON.stringify({ v: 1, ...message });
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }

  last() {
    return this.sent.at(-1);
  }
}

const WELCOME = {
  type: "joined",
  room: "r",
  member: "m",
  key: "k",
  polite: false,
  resumed: false,
  ice_servers: [],
};

/** @param {import("node:test").TestContext} context */
function joined(context) {
  FakeSocket.all = [];
  context.mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {any[]} */
  const heard = [];
  const signalling = createSignalling({
    url: "ws://x",
    onJoined: (welcome) => heard.push(welcome),
    onMessage: (message) => heard.push(message),
    onRefused: (refusal) => heard.push(refusal),
    onOpen: (open) => heard.push({ type: open ? "open" : "lost" }),
    Socket: /** @type {any} */ (FakeSocket),
  });
  signalling.create(null);
  const [socket] = FakeSocket.all;
  assert(socket);
  socket.open();
  assert.deepEqual(socket.last(), { v: 1, action: "create" });
  socket.hear(WELCOME);
  return { signalling, socket, heard, timers: context.mock.timers };
}

test("a dropped socket is opened again and its session resumed; nothing said meanwhile is lost", (context) => {
  const { signalling, socket, heard, timers } = joined(context);
  socket.end();
  assert.deepEqual(heard.at(-1), { type: "lost" });
  signalling.signal({ wish: "restart" });
  timers.tick(500);
  const again = FakeSocket.all[1];
  assert(again);
  again.open();
  assert.deepEqual(again.last(), {
    v: 1,
    action: "resume",
    room: "r",
    key: "k",
  });
  again.hear({ ...WELCOME, resumed: true });
  assert.deepEqual(again.last(), {
    v: 1,
    action: "signal",
    seq: 0,
    data: { wish: "restart" },
  });
});

test("a seat that was given away is asked for anew", (context) => {
  const { socket, timers } = joined(context);
  socket.end();
  timers.tick(500);
  const again = FakeSocket.all[1];
  assert(again);
  again.open();
  again.hear({ type: "error", code: "SESSION_ENDED", about: "resume" });
  assert.deepEqual(again.last(), { v: 1, action: "join", room: "r" });
});

test("a tab whose seat another tab took does not come back", (context) => {
  const { socket, heard, timers } = joined(context);
  socket.hear({ type: "error", code: "SESSION_ENDED", message: "" });
  assert.equal(heard.at(-1).code, "SESSION_ENDED");
  assert.equal(socket.readyState, 3);
  socket.end();
  timers.tick(60_000);
  assert.equal(FakeSocket.all.length, 1);
});

test("a socket without an answer to its ping is given up", (context) => {
  const { socket, heard, timers } = joined(context);
  timers.tick(30_000);
  assert.deepEqual(socket.last(), { v: 1, action: "ping" });
  socket.hear({ type: "pong" });
  timers.tick(30_000);
  timers.tick(8_000);
  assert.deepEqual(heard.at(-1), { type: "lost" });
});

test("the socket is renewed before the server's two hours are over, without a gap", (context) => {
  const { socket, heard, timers } = joined(context);
  for (let minute = 0; minute < 111; minute += 0.5) {
    timers.tick(30_000);
    socket.hear({ type: "pong" });
  }
  const renewed = FakeSocket.all[1];
  assert(renewed);
  assert.equal(socket.readyState, 1, "still in use");
  renewed.open();
  renewed.hear({ ...WELCOME, resumed: true });
  assert.equal(socket.readyState, 3);
  assert(!heard.some(({ type }) => type === "lost"));
});

test("whoever leaves says so, and is not connected again", (context) => {
  const { signalling, socket, timers } = joined(context);
  signalling.leave();
  assert.deepEqual(socket.last(), { v: 1, action: "leave" });
  socket.hear({ type: "left" });
  assert.equal(socket.readyState, 3);
  socket.end();
  timers.tick(60_000);
  assert.equal(FakeSocket.all.length, 1);
});

test("a message that would cost the socket is not sent, the largest that does not is", (context) => {
  const { signalling, socket } = joined(context);
  const complaint = context.mock.method(console, "error", () => {});
  /** @param {number} characters of two bytes each */
  const signal = (characters) =>
    signalling.signal(
      /** @type {any} */ ({ candidate: "é".repeat(characters) }),
    );
  signal(0);
  const empty = JSON.stringify(socket.last()).length;
  const most = Math.floor((MAX_MESSAGE_BYTES - empty) / 2);
  signal(most);
  assert.equal(socket.last().data.candidate.length, most);
  const { length } = socket.sent;
  signal(most + 1);
  assert.equal(socket.sent.length, length);
  assert.equal(complaint.mock.callCount(), 1);
});

test("a server that takes its time is waking up; only then is it silent, and never once it answered", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {string[]} */
  const said = [];
  const patience = createPatience((one) => said.push(one));
  patience.begin();
  context.mock.timers.tick(WAKING_MS);
  assert.deepEqual(said.splice(0), ["asked", "waking"]);
  context.mock.timers.tick(SILENT_MS - WAKING_MS);
  assert.deepEqual(said.splice(0), ["silent"]);
  patience.begin();
  patience.end();
  context.mock.timers.tick(SILENT_MS);
  assert.deepEqual(said, ["asked"]);
});

/** @param {number} received @param {number} lost @param {number} bytes */
const sample = (received, lost, bytes) =>
  new Map(
    Object.entries({
      t: {
        id: "t",
        type: "transport",
        selectedCandidatePairId: "p",
        bytesSent: bytes,
        bytesReceived: 2 * bytes,
      },
      p: {
        id: "p",
        type: "candidate-pair",
        currentRoundTripTime: 0.042,
        localCandidateId: "l",
        remoteCandidateId: "r",
      },
      l: { id: "l", type: "local-candidate", candidateType: "host" },
      r: { id: "r", type: "remote-candidate", candidateType: "relay" },
      c: { id: "c", type: "codec", mimeType: "video/VP8" },
      v: {
        id: "v",
        type: "inbound-rtp",
        kind: "video",
        codecId: "c",
        packetsReceived: received,
        packetsLost: lost,
        jitter: 0.012,
        frameWidth: 1280,
        frameHeight: 720,
        framesPerSecond: 30,
      },
      o: {
        id: "o",
        type: "outbound-rtp",
        kind: "video",
        frameWidth: 640,
        frameHeight: 360,
        framesPerSecond: 15,
      },
      s: { id: "s", type: "remote-inbound-rtp", fractionLost: 0.01 },
    }),
  );

test("a reading is what happened between two samples", () => {
  const before = { stats: sample(1000, 10, 0), at_ms: 0 };
  const reading = readingOf(before, {
    stats: sample(1090, 20, 50_000),
    at_ms: 2000,
  });
  assert.equal(reading.loss, 0.1);
  assert.equal(reading.sentLoss, 0.01);
  assert.equal(reading.up_bps, 200_000);
  assert.equal(reading.down_bps, 400_000);
  assert.equal(reading.roundTrip_ms, 42);
  assert.equal(reading.path, "direct – relay");
  assert.equal(reading.codecs, "VP8");
  assert.deepEqual(
    [reading.width, reading.height, reading.frames_ps],
    [1280, 720, 30],
  );
  assert.deepEqual(
    [reading.sentWidth, reading.sentHeight, reading.sentFrames_ps],
    [640, 360, 15],
  );
  assert.deepEqual(rate(reading), {
    grade: "poor",
    words: "Poor: packets get lost",
  });
});

test("the sender steps down under lasting loss, and up again after a good while", () => {
  const adaptation = createAdaptation();
  /** @param {number} sentLoss @param {number} times */
  const judge = (sentLoss, times) => {
    let step = 0;
    for (let index = 0; index < times; index += 1)
      step = adaptation.judge(/** @type {any} */ ({ sentLoss }));
    return step;
  };
  assert.equal(judge(0.2, 2), 0);
  assert.equal(judge(0.2, 1), 1);
  assert.equal(judge(0.2, 100), STEPS.length - 1);
  assert.equal(judge(0, 11), STEPS.length - 1);
  assert.equal(judge(0, 1), STEPS.length - 2);
});

/** @returns {any} an RTCRtpSender that keeps what is set */
function fakeSender() {
  return {
    set: /** @type {any[]} */ ([]),
    getParameters() {
      // As a browser does that does not tell every parameter again.
      return { encodings: [{ active: true }] };
    },
    async setParameters(/** @type {any} */ parameters) {
      this.set.push(structuredClone(parameters));
    },
  };
}

test("the sender's parameters are set when the step changes, and left alone otherwise", async () => {
  const adaptation = createAdaptation();
  const sender = fakeSender();
  for (let second = 0; second < 5; second += 1)
    await adaptation.apply(sender, false);
  assert.deepEqual(sender.set, [
    {
      encodings: [
        { active: true, maxBitrate: 2_500_000, scaleResolutionDownBy: 1 },
      ],
      degradationPreference: "balanced",
    },
  ]);
  for (let second = 0; second < 3; second += 1)
    adaptation.judge(/** @type {any} */ ({ sentLoss: 0.2 }));
  await adaptation.apply(sender, false);
  assert.deepEqual(sender.set.at(-1).encodings, [
    { active: true, maxBitrate: 1_200_000, scaleResolutionDownBy: 1.5 },
  ]);
  for (let second = 0; second < 5; second += 1)
    await adaptation.apply(sender, true);
  assert.equal(sender.set.length, 3);
  assert.deepEqual(sender.set[2], {
    encodings: [
      { active: true, maxBitrate: 1_200_000, scaleResolutionDownBy: 1 },
    ],
    degradationPreference: "maintain-resolution",
  });
  const next = fakeSender();
  await adaptation.apply(next, true);
  assert.equal(next.set.length, 1, "another connection has another sender");
});

test("parameters that were refused are tried again", async () => {
  const adaptation = createAdaptation();
  const sender = fakeSender();
  const { setParameters } = sender;
  sender.setParameters = () => Promise.reject(new Error("not now"));
  await assert.rejects(adaptation.apply(sender, false));
  sender.setParameters = setParameters;
  await adaptation.apply(sender, false);
  assert.equal(sender.set.length, 1);
});

test("failures have words that say what to do", () => {
  const known = {
    relayConfigured: true,
    relayFound: false,
    relayError: 401,
    signalling: true,
  };
  assert.match(pathWords(known), /refused/);
  assert.match(pathWords({ ...known, relayConfigured: false }), /no relay/);
  assert.match(pathWords({ ...known, relayError: null }), /does not answer/);
  assert.match(pathWords({ ...known, signalling: false }), /server is lost/);
  const busy = new DOMException("", "NotReadableError");
  assert.match(deviceWords("camera", busy), /in use by another program/);
  const none = new DOMException("", "NotFoundError");
  assert.match(deviceWords("microphone", none), /No microphone was found/);
});
