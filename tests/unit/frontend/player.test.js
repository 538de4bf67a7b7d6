import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, spokenTime } from "../../../frontend/player/build.js";
import { pathsOf } from "../../../frontend/player/graph.js";
import { commandFor, HELP } from "../../../frontend/player/keyboard.js";
import { codecName, levelsOf } from "../../../frontend/player/levels.js";
import { createMemory } from "../../../frontend/player/memory.js";
import {
  MESSAGES,
  troubleOfRequest,
  troubleOfStatus,
} from "../../../frontend/player/messages.js";
import { FIGURES, renditionWords } from "../../../frontend/player/stats.js";
import { parseStill } from "../../../frontend/player/storyboard.js";

test("keys do what they do on the big sites", () => {
  const cases = /** @type {const} */ ([
    [" ", { do: "toggle" }],
    ["k", { do: "toggle" }],
    ["K", { do: "toggle" }],
    ["j", { do: "seek", seconds: -10 }],
    ["l", { do: "seek", seconds: 10 }],
    ["ArrowRight", { do: "seek", seconds: 5 }],
    ["m", { do: "mute" }],
    ["f", { do: "fullscreen" }],
    ["c", { do: "captions" }],
    ["i", { do: "stats" }],
    ["0", { do: "tenth", tenth: 0 }],
    ["9", { do: "tenth", tenth: 9 }],
    [">", { do: "speed", by: 1 }],
    ["?", { do: "help" }],
    ["x", null],
    ["Tab", null],
  ]);
  for (const [key, command] of cases)
    assert.deepEqual(commandFor({ key }), command, key);
});

test("keys are left alone while somebody types or holds a modifier", () => {
  assert.equal(commandFor({ key: "k" }, { typing: true }), null);
  assert.equal(commandFor({ key: "k", isComposing: true }), null);
  assert.equal(commandFor({ key: "l", ctrlKey: true }), null);
  assert.equal(commandFor({ key: "ArrowLeft", altKey: true }), null);
  assert.equal(commandFor({ key: "f", metaKey: true }), null);
});

test("space belongs to a button that has the focus, other keys do not", () => {
  assert.equal(commandFor({ key: " " }, { onButton: true }), null);
  assert.deepEqual(commandFor({ key: "k" }, { onButton: true }), {
    do: "toggle",
  });
});

test("arrows belong to an open menu", () => {
  assert.equal(commandFor({ key: "ArrowDown" }, { inMenu: true }), null);
  assert.equal(commandFor({ key: "Home" }, { inMenu: true }), null);
  assert.deepEqual(commandFor({ key: "m" }, { inMenu: true }), { do: "mute" });
});

test("the help names a key for every kind of command", () => {
  assert.equal(HELP.length, 12);
  assert.ok(HELP.every(([keys, what]) => keys && what));
});

test("every HTTP status has a message of its own kind", () => {
  assert.equal(troubleOfStatus(undefined), "network");
  assert.equal(troubleOfStatus(0), "network");
  assert.equal(troubleOfStatus(404), "missing");
  assert.equal(troubleOfStatus(403), "forbidden");
  assert.equal(troubleOfStatus(503), "server");
  for (const status of [0, 403, 404, 418, 500])
    assert.ok(MESSAGES[troubleOfStatus(status)].text);
});

test("times are told to eyes and ears", () => {
  assert.equal(clock(3605.9), "1:00:05");
  assert.equal(clock(NaN), "0:00");
  assert.equal(spokenTime(3661), "1 hour 1 minute 1 second");
  assert.equal(spokenTime(0), "0 seconds");
});

/**
 * @param {number} height
 * @param {string} videoCodec
 * @param {number} maxBitrate
 * @param {Partial<import("../../../frontend/player/levels.js").Variant>} [more]
 */
const variant = (height, videoCodec, maxBitrate, more = {}) => ({
  width: (height * 16) / 9,
  height,
  videoCodec,
  maxBitrate,
  uri: `${height}-${videoCodec}-${maxBitrate}/index.m3u8`,
  ...more,
});

test("levels have names of their own when a ladder has several codecs", () => {
  const levels = levelsOf([
    variant(720, "avc1.64001f", 2_800_000),
    variant(1080, "avc1.640028", 5_000_000),
    variant(1080, "hvc1.1.6.L120.90", 3_200_000),
    variant(1080, "av01.0.08M.08", 2_600_000),
    variant(360, "av01.0.01M.08", 420_000),
  ]);
  assert.deepEqual(
    levels.map(({ name, index }) => [name, index]),
    [
      ["1080p H.264", 1],
      ["1080p HEVC", 2],
      ["1080p AV1", 3],
      ["720p", 0],
      ["360p", 4],
    ],
  );
});

test("levels are told apart by frame rate, and by bitrate where all else is the same", () => {
  const levels = levelsOf([
    variant(1080, "avc1.640028", 5_000_000, { frameRate: 59.94 }),
    variant(1080, "avc1.640028", 4_000_000, { frameRate: 29.97 }),
    variant(720, "avc1.64001f", 3_000_000),
    variant(720, "avc1.64001f", 900_000),
  ]);
  assert.deepEqual(
    levels.map(({ name }) => name),
    ["1080p60", "1080p", "720p 3.0 Mb/s", "720p 900 kb/s"],
  );
});

test("one picture is one level when it is offered with several sounds", () => {
  const uri = "720p/index.m3u8";
  const levels = levelsOf([
    variant(720, "avc1.64001f", 3_200_000, { uri }),
    variant(720, "avc1.64001f", 2_900_000, { uri }),
    variant(720, "avc1.64001f", 2_900_000, { uri }),
  ]);
  assert.deepEqual(
    levels.map(({ name, index }) => [name, index]),
    [["720p", 1]],
  );
  assert.equal(codecName("mp4a.40.2, vp09.00.10.08"), "VP9");
  assert.equal(codecName(undefined), "");
});

test("a failed request has the words of its cause", () => {
  const online = true;
  const cases = /** @type {const} */ ([
    [{ details: "fragLoadError", status: 503, online }, "server"],
    [{ details: "fragLoadError", status: 404, online }, "missing"],
    [{ details: "manifestLoadError", status: 404, online }, "absent"],
    [{ details: "fragLoadError", status: 0, online }, "network"],
    [{ details: "fragLoadError", online: false }, "offline"],
    [{ details: "fragLoadTimeOut", online }, "slow"],
    [{ details: "manifestParsingError", status: 200, online }, "format"],
    [{ details: "manifestIncompatibleCodecsError", online }, "codec"],
  ]);
  for (const [failure, trouble] of cases)
    assert.equal(troubleOfRequest(failure), trouble, failure.details);
});

/** @returns {Storage} */
function storage() {
  const items = new Map();
  return /** @type {Storage} */ (
    /** @type {unknown} */ ({
      getItem: (/** @type {string} */ key) => items.get(key) ?? null,
      setItem: (/** @type {string} */ key, /** @type {string} */ value) =>
        items.set(key, value),
    })
  );
}

test("a place in the middle is remembered, one at either end is not", () => {
  const memory = createMemory(storage());
  memory.keepPosition("a", 42.7, 100);
  memory.keepPosition("b", 3, 100);
  memory.keepPosition("c", 97, 100);
  assert.equal(memory.position("a"), 42);
  assert.equal(memory.position("b"), 0);
  assert.equal(memory.position("c"), 0);
  memory.keepPosition("a", 99, 100);
  assert.equal(memory.position("a"), 0, "seen to its end");
});

test("the oldest places are forgotten, and what is not ours is no place", () => {
  const kept = storage();
  const memory = createMemory(kept);
  for (let n = 0; n < 250; n += 1) memory.keepPosition(`v${n}`, 50, 100);
  assert.equal(memory.position("v49"), 0);
  assert.equal(memory.position("v50"), 50);
  for (const broken of ["{", "3", '[["a"]]', '[["a","x"]]', "null"]) {
    kept.setItem("millrace.player.positions", broken);
    assert.equal(memory.position("a"), 0, broken);
  }
  assert.equal(createMemory(null).position("a"), 0);
  assert.equal(createMemory(null).volume(), null);
});

test("a storyboard's cue is a part of an image beside it, and nothing else", () => {
  const base = "https://media.example/videos/a/storyboard.vtt";
  assert.deepEqual(parseStill("storyboard/00.jpg#xywh=160,90,160,90", base), {
    url: "https://media.example/videos/a/storyboard/00.jpg",
    x: 160,
    y: 90,
    width: 160,
    height: 90,
  });
  for (const text of [
    "00.jpg",
    "00.jpg#xywh=1,2,3",
    "00.jpg#xywh=0,0,0,90",
    "javascript:alert(1)#xywh=0,0,1,1",
    "",
  ])
    assert.equal(parseStill(text, base), null, text);
});

test("a graph grows from the right and keeps to its box", () => {
  assert.deepEqual(pathsOf([], 5), { line: "", area: "" });
  assert.equal(pathsOf([0, 10], 5).line, "M75.0 23.0L100.0 1.0");
  assert.equal(pathsOf([5], 5, 10).line, "M100.0 12.0");
  assert.ok(!pathsOf([0, 0, 0], 3).line.includes("NaN"));
});

test("statistics say what they know and admit what they do not", () => {
  const level = {
    index: 1,
    name: "720p",
    width: 1280,
    height: 720,
    codec: "AV1",
    frameRate: 25,
    bitrate_bps: 1_500_000,
  };
  const facts = {
    engine: "x",
    bandwidth_bps: null,
    bitrate_bps: 1_250_000,
    growing: false,
    switches: 0,
  };
  const reading = {
    level,
    auto: true,
    facts,
    buffer_s: 12.34,
    droppedFrames: 3,
    totalFrames: 400,
    shownWidth: 0,
    shownHeight: 0,
    speed: 1,
  };
  assert.equal(renditionWords(reading), "720p · 1280 × 720 · AV1 · Auto");
  assert.equal(renditionWords({ ...reading, level: null }), "none yet");
  assert.deepEqual(
    FIGURES.map(({ words }) => words(reading)),
    ["1.3 Mb/s, peak 1.5 Mb/s", "not told", "12.3 s ahead", "3 of 400"],
  );
  const dropped = FIGURES.find(({ id }) => id === "dropped");
  assert.equal(dropped?.of({ ...reading, droppedFrames: 5 }, reading), 2);
  assert.equal(dropped?.of(reading, null), 0, "nothing to compare with");
});
