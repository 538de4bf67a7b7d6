import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, spokenTime } from "../../../frontend/player/build.js";
import { commandFor, HELP } from "../../../frontend/player/keyboard.js";
import {
  MESSAGES,
  troubleOfStatus,
} from "../../../frontend/player/messages.js";

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
  assert.equal(HELP.length, 10);
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
