import assert from "node:assert/strict";
import { test } from "node:test";
import { createSession } from "../../../frontend/js/session.js";

/** What a tab has, as far as a session touches it. */
function tab(address = "http://site/p/index.html") {
  const url = new URL(address);
  /** @type {Map<string, string>} */
  const kept = new Map();
  /** @type {string[]} */
  const replaced = [];
  return {
    replaced,
    storage: /** @type {Storage} */ (
      /** @type {unknown} */ ({
        getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
        setItem: (/** @type {string} */ key, /** @type {string} */ value) =>
          void kept.set(key, value),
        removeItem: (/** @type {string} */ key) => void kept.delete(key),
      })
    ),
    location: /** @type {Location} */ (/** @type {unknown} */ (url)),
    history: /** @type {History} */ (
      /** @type {unknown} */ ({
        state: null,
        replaceState: (
          /** @type {unknown} */ _state,
          /** @type {string} */ _title,
          /** @type {string} */ to,
        ) => void replaced.push(to),
      })
    ),
  };
}

const TOKEN = `mr_${"a".repeat(43)}`;

test("a token is taken from the fragment once and wiped from the address", () => {
  const it = tab(`http://site/p/index.html?status=failed#token=${TOKEN}`);
  assert.equal(createSession(it).token(), TOKEN);
  assert.deepEqual(it.replaced, ["/p/index.html?status=failed"]);
});

test("the rest of the fragment stays when the token is wiped", () => {
  const it = tab(`http://site/p/index.html#x=1&token=${TOKEN}`);
  createSession(it);
  assert.deepEqual(it.replaced, ["/p/index.html#x=1"]);
});

test("a fragment that is no token is wiped and not kept", () => {
  const it = tab("http://site/p/index.html#token=<script>");
  assert.equal(createSession(it).token(), null);
  assert.equal(it.replaced.length, 1);
});

test("the address is left alone when it holds no token", () => {
  const it = tab("http://site/p/index.html#main");
  createSession(it);
  assert.deepEqual(it.replaced, []);
});

test("a token is kept until sign-out, and only if it is one", () => {
  const session = createSession(tab());
  assert.equal(session.keep("secret"), false);
  assert.equal(session.token(), null);
  assert.equal(session.keep(TOKEN), true);
  assert.equal(session.token(), TOKEN);
  session.forget();
  assert.equal(session.token(), null);
});
