import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../../frontend/js/api.js";
import {
  ladderMakes,
  onlyChosen,
  settle,
} from "../../../frontend/js/upload/choices.js";
import { createGate } from "../../../frontend/js/upload/gate.js";
import {
  difference,
  fingerprintOf,
} from "../../../frontend/js/upload/identity.js";
import { isOver, troubleWords } from "../../../frontend/js/upload/judge.js";
import { createLedger } from "../../../frontend/js/upload/ledger.js";
import { createPartSender } from "../../../frontend/js/upload/sender.js";

/** @import { Api } from "../../../frontend/js/api.js" */
/** @import { Entry } from "../../../frontend/js/upload/ledger.js" */
/** @import { LadderChoice } from "../../../frontend/js/types.js" */

const MIB = 1024 * 1024;

test("a fingerprint tells beginnings and ends apart, not lengths of reading", async () => {
  const bytes = new Uint8Array(5 * MIB);
  const before = await fingerprintOf(new Blob([bytes]));
  assert.match(String(before), /^[0-9a-f]{64}$/);
  bytes[3 * MIB] = 1;
  assert.equal(await fingerprintOf(new Blob([bytes])), before, "the middle");
  bytes[5 * MIB - 1] = 1;
  assert.notEqual(await fingerprintOf(new Blob([bytes])), before, "the end");
  bytes[5 * MIB - 1] = 0;
  bytes[0] = 1;
  assert.notEqual(await fingerprintOf(new Blob([bytes])), before);
  const small = await fingerprintOf(new Blob(["abc"]));
  assert.notEqual(await fingerprintOf(new Blob(["abd"])), small);
});

const begun = { name: "a.mp4", size: 9, lastModified: 1, fingerprint: "f" };

test("a file is the same when it was renamed, and told apart in words when it changed", () => {
  assert.equal(difference(begun, { ...begun, name: "b.mp4" }), null);
  assert.match(
    difference(begun, { ...begun, size: 10 }) ?? "",
    /has 10 bytes, the one begun had 9 bytes/,
  );
  assert.match(
    difference(begun, { ...begun, fingerprint: "g" }) ?? "",
    /begins or ends differently/,
  );
  assert.match(
    difference(begun, { ...begun, lastModified: 2 }) ?? "",
    /changed on disk/,
  );
  assert.equal(
    difference(begun, { ...begun, fingerprint: null }),
    null,
    "where browsers hash nothing, the rest has to do",
  );
});

/** What a browser remembers. */
function memory() {
  /** @type {Map<string, string>} */
  const kept = new Map();
  return /** @type {Storage} */ ({
    get length() {
      return kept.size;
    },
    key: (index) => [...kept.keys()][index] ?? null,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
    clear: () => kept.clear(),
  });
}

/** @param {string} videoId @param {Partial<Entry>} [more] @returns {Entry} */
const entry = (videoId, more = {}) => ({
  ...begun,
  videoId,
  site: "http://here/",
  owner: "ann",
  partSize_bytes: 4,
  partCount: 3,
  begunAt: "2026-05-01T10:00:00Z",
  expiresAt: "2026-05-02T10:00:00.000000Z",
  ...more,
});

test("uploads are remembered until they expire, for their own site", () => {
  const storage = memory();
  let now_ms = Date.parse("2026-05-01T12:00:00Z");
  const site = "http://here/";
  const ledger = createLedger({ storage, site, now_ms: () => now_ms });
  ledger.remember(entry("late", { begunAt: "2026-05-01T11:00:00Z" }));
  ledger.remember(entry("early"));
  ledger.remember(entry("other", { site: "http://there/" }));
  ledger.remember(entry("gone"));
  ledger.forget("gone");
  storage.setItem("millrace.upload.torn", '{"videoId":');
  storage.setItem("millrace.theme", "dark");
  const ids = () => ledger.unfinished().map(({ videoId }) => videoId);
  assert.deepEqual(ids(), ["early", "late"]);
  now_ms += 24 * 3600 * 1000;
  assert.deepEqual(ids(), []);
  assert.equal(storage.length, 1, "what has expired is cleared away");
  assert.equal(storage.getItem("millrace.theme"), "dark");
});

test("everybody who waits for a token goes on together, but for who was stopped", async () => {
  const gate = createGate();
  const stopped = new AbortController();
  const { signal } = new AbortController();
  const both = Promise.all([gate.wait(signal), gate.wait(signal)]);
  const third = assert.rejects(gate.wait(stopped.signal), /stopped/);
  stopped.abort(new Error("stopped"));
  await third;
  gate.open();
  await both;
});

test("trouble is told by what is in the way", () => {
  assert.match(troubleWords(new ApiError(503, "unavailable", "x")), /busy/);
  assert.match(troubleWords(new ApiError(0, "network", "x")), /be reached/);
  assert.ok(isOver(new ApiError(409, "upload-not-open", "")));
  assert.ok(!isOver(new ApiError(503, "unavailable", "")));
});

/** @type {LadderChoice[]} */
const ladders = [
  { name: "default", codec: "h264" },
  { name: "hevc", codec: "hevc" },
  { name: "av1", codec: "av1" },
].map(({ name, codec }) => ({
  name,
  per_title: false,
  rungs: [
    { name: "720p", short_side: 720, maxrate_bps: 2_800_000, codec },
    { name: "360p", short_side: 360, maxrate_bps: 420_000, codec },
  ],
}));

test("what does not go with the ladder gives way to it, in words", () => {
  const wanted = { ladder: "av1", rate_control: "cbr", container: "mpegts" };
  const { settings, notes } = settle(wanted, ladders);
  assert.deepEqual(settings, { ladder: "av1" });
  assert.equal(notes.length, 2);
  const fine = { ladder: "default", rate_control: "cbr", container: "mpegts" };
  assert.deepEqual(settle(fine, ladders), { settings: fine, notes: [] });
});

test("only what a person chose is sent", () => {
  const bounds = { least: 1, most: 10, usual: 4 };
  const usual = { ladder: "default", priority: "normal", segment_s: 4 };
  assert.equal(onlyChosen(usual, bounds), undefined);
  assert.deepEqual(onlyChosen({ ...usual, segment_s: 2 }, bounds), {
    segment_s: 2,
  });
});

test("a ladder is told by what it makes", () => {
  const [usual] = ladders;
  assert.ok(usual);
  assert.equal(ladderMakes(usual), "720p, 360p, up to 2.8 Mb/s");
  const rungs = ladders.flatMap((ladder) => ladder.rungs);
  assert.match(ladderMakes({ ...usual, rungs }), /each 3 times/);
});

test("a part of a wrong length is sent again when the upload goes on", async () => {
  /** @type {number[][]} */
  const asked = [];
  const api = /** @type {Api} */ (
    /** @type {unknown} */ ({
      listParts: async () => ({
        parts: [
          { part_number: 1, etag: "a", size_bytes: 4 },
          { part_number: 2, etag: "b", size_bytes: 3 },
        ],
      }),
      signParts: async (
        /** @type {string} */ _id,
        /** @type {number[]} */ numbers,
      ) => {
        asked.push(numbers);
        throw new Error("far enough");
      },
    })
  );
  /** @type {number[]} */
  const kept = [];
  const sender = createPartSender(
    {
      file: new File(["123456789"], "a.mp4"),
      api,
      ticket: {
        video_id: "v",
        upload: { method: "multipart", part_size_bytes: 4, part_count: 3 },
      },
      onProgress: () => {},
      onKept: (bytes) => void kept.push(bytes),
      persist: (task) => task(1),
    },
    { method: "multipart", part_size_bytes: 4, part_count: 3 },
    { begunBefore: true },
  );
  await assert.rejects(sender.run(new AbortController().signal), /far enough/);
  assert.deepEqual(kept, [4]);
  assert.deepEqual(asked[0], [2, 3]);
});
