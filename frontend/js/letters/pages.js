// The list of dead letters as far as it is known, newest first. Pure.

/** @import { Letter, LetterPage } from "../dashboard/types.js" */

/** @typedef {{ letters: readonly Letter[], next: string | null }} Letters */

/** @type {Letters} */
export const NONE = { letters: [], next: null };

/** @param {Letter} letter @returns {string} of which there is one letter at most */
export const keyOf = ({ video_id, task_id }) => `${video_id}/${task_id}`;

/**
 * @param {readonly Letter[]} letters
 * @param {readonly Letter[]} fresh
 */
function without(letters, fresh) {
  const keys = new Set(fresh.map(keyOf));
  return letters.filter((letter) => !keys.has(keyOf(letter)));
}

/**
 * @param {Letters} known
 * @param {LetterPage} page what begins at `known.next`
 * @returns {Letters}
 */
export const append = (known, page) => ({
  letters: [...known.letters, ...without(page.dead_letters, known.letters)],
  next: page.next_cursor,
});

/**
 * Takes a fresh first page. As far as it reaches it is the truth: what it does not name is gone.
 * @param {Letters} known
 * @param {LetterPage} page
 * @returns {Letters}
 */
export function refresh(known, page) {
  const last = page.dead_letters.at(-1);
  if (page.next_cursor === null || !last)
    return { letters: page.dead_letters, next: page.next_cursor };
  const older = without(known.letters, page.dead_letters).filter(
    ({ failed_at }) => failed_at <= last.failed_at,
  );
  return {
    letters: [...page.dead_letters, ...older],
    next: older.length > 0 ? known.next : page.next_cursor,
  };
}
