import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createAnnouncer,
  newsInWords,
  newsOf,
} from "../../../frontend/js/gallery/announcer.js";
import {
  appendPage,
  EMPTY_FEED,
  patch,
  refresh,
  requestFor,
  videosOf,
} from "../../../frontend/js/gallery/feed.js";
import {
  parametersOf,
  readQuery,
  writeQuery,
} from "../../../frontend/js/gallery/query.js";
import { columnsIn, placesIn } from "../../../frontend/js/gallery/window.js";

/** @import { Video } from "../../../frontend/js/types.js" */
/** @import { Feed } from "../../../frontend/js/gallery/feed.js" */

/** @param {string} id @param {Partial<Video>} [more] @returns {Video} */
const video = (id, more = {}) => ({
  id,
  title: id,
  status: "completed",
  ...more,
});

/** @param {string} names @param {string | null} next */
const page = (names, next) => ({
  videos: [...names].map((name) => video(name)),
  next_cursor: next,
});

/** @param {[string | null, string][]} parts @param {string | null} next @returns {Feed} */
const feedOf = (parts, next) => ({
  stretches: parts.map(([cursor, names]) => ({
    cursor,
    videos: [...names].map((name) => video(name)),
  })),
  next,
});

/** @param {Feed} feed */
const drawn = ({ stretches, next }) =>
  [
    ...stretches.map(
      ({ cursor, videos }) =>
        `${cursor ?? "top"}:${videos.map(({ id }) => id).join("")}`,
    ),
    next ?? "end",
  ].join(" ");

const long = feedOf(
  [
    [null, "hgf"],
    ["f", "edc"],
    ["c", "ba"],
  ],
  "a",
);

for (const { when, at, fresh, wanted } of [
  {
    when: "a video is new",
    at: 0,
    fresh: page("ihg", "g"),
    wanted: "top:ihg g:f f:edc c:ba a",
  },
  {
    when: "one in the page is gone",
    at: 0,
    fresh: page("hfe", "e"),
    wanted: "top:hfe e:dc c:ba a",
  },
  {
    when: "the page covers two stretches",
    at: 0,
    fresh: page("hgfedcb", "b"),
    wanted: "top:hgfedcb b:a a",
  },
  {
    when: "a stretch in the middle changed",
    at: 1,
    fresh: page("ecb", "b"),
    wanted: "top:hgf f:ecb b:a a",
  },
  {
    when: "the last stretch grew",
    at: 2,
    fresh: page("ba0", "0"),
    wanted: "top:hgf f:edc c:ba0 0",
  },
  {
    when: "the list ends there now",
    at: 1,
    fresh: page("e", null),
    wanted: "top:hgf f:e end",
  },
  {
    when: "all of them are strangers",
    at: 0,
    fresh: page("zy", "y"),
    wanted: "top:zy y:hgf f:edc c:ba a",
  },
  {
    when: "nothing is left at all",
    at: 0,
    fresh: page("", null),
    wanted: "top: end",
  },
])
  test(`a fresh page takes the place of what it covers when ${when}`, () => {
    assert.equal(drawn(refresh(long, at, fresh)), wanted);
  });

test("the first page is the list when there was none", () => {
  assert.equal(drawn(refresh(EMPTY_FEED, 0, page("cb", "b"))), "top:cb b");
  assert.equal(drawn(refresh(EMPTY_FEED, 0, page("", "x"))), "top: x");
});

test("nothing is shown twice when a page overlaps what is there", () => {
  assert.equal(
    drawn(appendPage(long, page("a0", null))),
    "top:hgf f:edc c:ba a:0 end",
  );
  assert.equal(drawn(appendPage(long, page("", "9"))), "top:hgf f:edc c:ba 9");
});

test("one video is changed when the API has said what it is now", () => {
  const changed = videosOf(patch(long, "d", { status: "failed" }));
  assert.deepEqual(
    changed.filter(({ status }) => status === "failed").map(({ id }) => id),
    ["d"],
  );
});

test("what is on the screen is asked for when the reader is far down", () => {
  const limits = { least: 2, most: 4 };
  const ask = (/** @type {number} */ first, /** @type {number} */ last) =>
    requestFor(long, { first, last }, limits);
  assert.deepEqual(ask(0, 1), { at: 0, cursor: null, limit: 2, place: 0 });
  assert.deepEqual(ask(0, 2), { at: 0, cursor: null, limit: 4, place: 0 });
  assert.deepEqual(ask(4, 5), { at: 1, cursor: "f", limit: 4, place: 3 });
  assert.deepEqual(ask(6, 7), { at: 2, cursor: "c", limit: 2, place: 6 });
  assert.deepEqual(requestFor(EMPTY_FEED, { first: 0, last: -1 }, limits), {
    at: 0,
    cursor: null,
    limit: 2,
    place: 0,
  });
});

test("only rows near the screen are wanted when the list is long", () => {
  const view = { count: 10_000, columns: 4, row: 300, height: 800, spare: 2 };
  assert.deepEqual(placesIn({ ...view, top: 0 }), { first: 0, last: 19 });
  assert.deepEqual(placesIn({ ...view, top: 30_000 }), {
    first: 392,
    last: 419,
  });
  assert.deepEqual(placesIn({ ...view, top: 900_000 }), {
    first: 9996,
    last: 9999,
  });
  assert.deepEqual(placesIn({ ...view, top: -5000 }), { first: 0, last: 3 });
  assert.deepEqual(placesIn({ ...view, count: 0, top: 0 }), {
    first: 0,
    last: -1,
  });
});

test("cards share the room when it is wide, and fill it when it is narrow", () => {
  assert.deepEqual(columnsIn(920, { least: 280, gap: 40 }), {
    columns: 3,
    width: 280,
  });
  assert.deepEqual(columnsIn(300, { least: 280, gap: 40 }), {
    columns: 1,
    width: 300,
  });
});

test("a query survives the address when it is written and read", () => {
  const query = readQuery(
    "?status=failed&from=2026-05-01&to=2026-05-31&q=Mill%20%26%20race&sort=oldest",
  );
  const address = writeQuery("https://site.example/index.html?x=1#y", query);
  assert.deepEqual(readQuery(new URL(address).search), query);
  assert.match(address, /[?&]x=1/);
  const bare = writeQuery(address, readQuery(""));
  assert.equal(bare, "https://site.example/index.html?x=1#y");
});

test("nonsense is left out when an address is read", () => {
  assert.deepEqual(
    readQuery("?status=deleting&from=2026-13-01&to=x&sort=size&q=%20%20"),
    readQuery(""),
  );
  assert.equal(readQuery("?from=2026-05-02&to=2026-05-01").to, "");
  assert.equal(readQuery("?q=a&sort=title").sort, "newest");
});

test("a day is the reader's own when it is asked for", () => {
  const { from, to } = parametersOf(
    readQuery("?from=2026-05-01&to=2026-05-01"),
  );
  assert.equal(from, new Date(2026, 4, 1).toISOString());
  assert.equal(to, new Date(2026, 4, 2).toISOString());
});

test("news are what is new, done and failed when a fresh page is compared", () => {
  const before = [
    video("a", { status: "processing" }),
    video("b", { status: "queued" }),
    video("c"),
  ];
  const after = [
    video("z", { status: "queued" }),
    video("a"),
    video("b", { status: "failed" }),
    video("c"),
  ];
  const news = newsOf(before, after, true);
  assert.equal(newsInWords(news), "1 new video, 1 completed, 1 failed.");
  assert.equal(newsOf(before, after, false).arrived, 0);
  assert.equal(newsInWords(newsOf(after, after, true)), "");
});

test("many news become one sentence now and then when they come one by one", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  /** @type {string[]} */
  const read = [];
  const announcer = createAnnouncer({
    set textContent(/** @type {string | null} */ text) {
      if (text) read.push(text);
    },
    get textContent() {
      return "";
    },
  });
  for (let second = 0; second < 21; second += 1) {
    announcer.gather({ arrived: 0, completed: 1, failed: 0 });
    context.mock.timers.tick(1000);
  }
  assert.deepEqual(read, ["1 completed.", "10 completed.", "10 completed."]);
  announcer.say("3 fou");
  announcer.say("4 found.");
  context.mock.timers.tick(500);
  assert.equal(read.at(-1), "4 found.");
  announcer.destroy();
});
