import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, connect, createApi } from "../../../frontend/js/api.js";

/**
 * A `fetch` that opens no socket: it notes what was asked and gives the answers in turn.
 * @param {(Response | Error)[]} answers
 */
function network(...answers) {
  /** @type {{ url: string, init: RequestInit }[]} */
  const asked = [];
  /** @type {typeof globalThis.fetch} */
  const fetch = async (url, init = {}) => {
    asked.push({ url: String(url), init });
    const answer = answers.shift();
    if (!answer) throw new Error("nobody expected this request");
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { asked, fetch };
}

/** @param {unknown} body @param {ResponseInit} [init] */
const json = (body, init) => new Response(JSON.stringify(body), init);

/** @param {ReturnType<typeof network>} net @param {string | null} token */
const apiOn = (net, token = null) =>
  createApi({
    baseUrl: "http://api/stage/",
    token: () => token,
    fetch: net.fetch,
  });

test("a listing asks for what was chosen, without the token, past no cache", async () => {
  const net = network(json({ videos: [], next_cursor: null }));
  await apiOn(net, "mr_secret").listVideos({
    status: "failed",
    limit: 24,
    cursor: "a b",
  });
  const [{ url, init } = { url: "", init: {} }] = net.asked;
  assert.equal(
    url,
    "http://api/stage/videos?status=failed&limit=24&cursor=a+b",
  );
  assert.equal(init.cache, "no-cache");
  assert.deepEqual(init.headers, {});
});

test("an upload carries the token and its idempotency key", async () => {
  const net = network(json({}, { status: 201 }));
  const file = { filename: "a.mp4", size_bytes: 5, content_type: "video/mp4" };
  await apiOn(net, "mr_secret").createUpload(file, { idempotencyKey: "k1" });
  const init = net.asked[0]?.init ?? {};
  assert.deepEqual(init.headers, {
    Authorization: "Bearer mr_secret",
    "Content-Type": "application/json",
    "Idempotency-Key": "k1",
  });
  assert.deepEqual(JSON.parse(String(init.body)), file);
});

test("a problem document becomes an ApiError with its slug and sentence", async () => {
  const net = network(
    json(
      {
        type: "https://millrace.dev/problems/token-expired",
        title: "t",
        detail: "It was.",
      },
      { status: 401, headers: { "Retry-After": "3" } },
    ),
  );
  await assert.rejects(apiOn(net).getVideo("x"), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 401);
    assert.equal(error.code, "token-expired");
    assert.equal(error.message, "It was.");
    assert.equal(error.retryAfter_s, 3);
    assert.equal(error.temporary, false);
    return true;
  });
});

test("an answer that is no problem document still becomes an ApiError", async () => {
  const net = network(
    new Response("<html>Bad gateway</html>", { status: 502 }),
  );
  await assert.rejects(apiOn(net).getVideo("x"), {
    name: "ApiError",
    code: "http-502",
    temporary: true,
  });
});

test("no answer at all is a network error, an abort stays an abort", async () => {
  await assert.rejects(apiOn(network(new TypeError("failed"))).getVideo("x"), {
    status: 0,
    code: "network",
  });
  const abort = new DOMException("stopped", "AbortError");
  await assert.rejects(apiOn(network(abort)).getVideo("x"), {
    name: "AbortError",
  });
});

test("a video's id is escaped when it comes from an address", async () => {
  const net = network(json({}));
  await apiOn(net).getVideo("../health");
  assert.equal(net.asked[0]?.url, "http://api/stage/videos/..%2Fhealth");
});

test("the API's address comes from config.json beside the page", async () => {
  const base = "http://site/prefix/watch.html?v=1";
  const net = network(json({ apiUrl: "http://api/prod" }), json({}));
  const api = await connect({ token: () => null, fetch: net.fetch, base });
  await api.getVideo("x");
  assert.deepEqual(
    net.asked.map(({ url }) => url),
    ["http://site/prefix/config.json", "http://api/prod/videos/x"],
  );
});

test("a site without config.json says so", async () => {
  const net = network(new Response("", { status: 404 }));
  const base = "http://site/";
  await assert.rejects(connect({ token: () => null, fetch: net.fetch, base }), {
    code: "config",
    message: /config\.json/,
  });
});
