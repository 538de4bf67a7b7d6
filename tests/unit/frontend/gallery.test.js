import assert from "node:assert/strict";
import { test } from "node:test";
import {
  appendPage,
  EMPTY_FEED,
  mergeNewest,
} from "../../../frontend/js/gallery/feed.js";

/** @import { Video } from "../../../frontend/js/types.js" */

/** @param {string} id @param {Partial<Video>} [more] @returns {Video} */
const video = (id, more = {}) => ({
  id,
  title: id,
  status: "completed",
  ...more,
});

/** @param {{ videos: readonly Video[] }} feed */
const ids = (feed) => feed.videos.map(({ id }) => id).join("");

const abc = { videos: [video("c"), video("b"), video("a")], cursor: "older" };

test("a new video goes to the front when the newest page names it", () => {
  const page = {
    videos: [video("d"), video("c"), video("b")],
    next_cursor: "x",
  };
  const merged = mergeNewest(abc, page);
  assert.equal(ids(merged), "dcba");
  assert.equal(
    merged.cursor,
    "older",
    "what is older is still known from before",
  );
});

test("a video is replaced when its status changed", () => {
  const page = {
    videos: [video("c", { status: "failed" }), video("b")],
    next_cursor: "x",
  };
  assert.equal(mergeNewest(abc, page).videos[0]?.status, "failed");
});

test("a video disappears when the stretch that covered it no longer names it", () => {
  const page = { videos: [video("c"), video("a")], next_cursor: "x" };
  assert.equal(ids(mergeNewest(abc, page)), "ca");
});

test("everything else disappears when the page is the whole list", () => {
  const page = { videos: [video("b")], next_cursor: null };
  assert.deepEqual(mergeNewest(abc, page), {
    videos: [video("b")],
    cursor: null,
  });
});

test("older videos stay when the page holds only strangers", () => {
  const page = { videos: [video("f"), video("e")], next_cursor: "x" };
  assert.equal(ids(mergeNewest(abc, page)), "fecba");
});

test("the page's cursor is taken when nothing older is shown", () => {
  const page = { videos: [video("c"), video("b")], next_cursor: "fresh" };
  assert.equal(mergeNewest(EMPTY_FEED, page).cursor, "fresh");
});

test("nothing is shown twice when a page overlaps what is there", () => {
  const page = { videos: [video("a"), video("0")], next_cursor: null };
  const appended = appendPage(abc, page);
  assert.equal(ids(appended), "cba0");
  assert.equal(appended.cursor, null);
});
