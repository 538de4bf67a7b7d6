// What is asked of the list, in the address of the page, so that a link and the back button work.

/** @import { Sort, Status } from "../types.js" */

/**
 * @typedef {object} Query
 * @property {Status | null} status
 * @property {string} from a day, "2026-05-31"; "" for none
 * @property {string} to the last day
 * @property {string} q words of the title
 * @property {Sort} sort
 */

/** @type {readonly Status[]} */
const STATUSES = ["queued", "processing", "completed", "failed", "cancelled"];
/** @type {readonly Sort[]} */
const SORTS = ["newest", "oldest", "title", "longest", "shortest"];
const DAY = /^\d{4}-\d\d-\d\d$/;
export const MAX_SEARCH_CHARS = 100;

/** @type {Query} */
export const EVERYTHING = {
  status: null,
  from: "",
  to: "",
  q: "",
  sort: "newest",
};

/** @param {string | null} text */
const day = (text) =>
  text !== null && DAY.test(text) && !Number.isNaN(Date.parse(text))
    ? text
    : "";

/**
 * Words are found in order of time alone.
 * @param {Query} query
 * @returns {Query}
 */
export function settle(query) {
  const byTime = query.sort === "newest" || query.sort === "oldest";
  return query.q !== "" && !byTime ? { ...query, sort: "newest" } : query;
}

/**
 * @param {string} search of an address; what is not understood is left out
 * @returns {Query}
 */
export function readQuery(search) {
  const given = new URLSearchParams(search);
  const [from, to] = [day(given.get("from")), day(given.get("to"))];
  return settle({
    status: STATUSES.find((each) => each === given.get("status")) ?? null,
    from,
    to: from && to && to < from ? "" : to,
    q: (given.get("q") ?? "").trim().slice(0, MAX_SEARCH_CHARS),
    sort: SORTS.find((each) => each === given.get("sort")) ?? "newest",
  });
}

/**
 * @param {URL | string} address
 * @param {Query} query
 * @returns {string} the address with the query in it
 */
export function writeQuery(address, query) {
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) {
    const usual = value === EVERYTHING[/** @type {keyof Query} */ (name)];
    if (usual || value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url.href;
}

/**
 * A day is the reader's own, from midnight to midnight where they are.
 * @param {string} text
 * @param {number} days later
 */
function midnight(text, days) {
  const [year = 0, month = 1, date = 1] = text.split("-").map(Number);
  return new Date(year, month - 1, date + days).toISOString();
}

/**
 * @param {Query} query
 * @returns {{ status?: Status, from?: string, to?: string, q?: string, sort?: Sort }} of the API
 */
export const parametersOf = ({ status, from, to, q, sort }) => ({
  ...(status && { status }),
  ...(from && { from: midnight(from, 0) }),
  ...(to && { to: midnight(to, 1) }),
  ...(q && { q }),
  ...(sort !== "newest" && { sort }),
});

/** @param {Query} query */
export const isFiltered = ({ status, from, to, q }) =>
  status !== null || Boolean(from || to || q);
