// Which cards of a long list are worth being there. Pure.

/** @typedef {{ columns: number, width: number }} Columns */

/**
 * @param {number} room px
 * @param {{ least: number, gap: number }} card its least width and what is between two
 * @returns {Columns}
 */
export function columnsIn(room, { least, gap }) {
  const columns = Math.max(1, Math.floor((room + gap) / (least + gap)));
  return { columns, width: (room - gap * (columns - 1)) / columns };
}

/**
 * @param {object} view
 * @param {number} view.count of all
 * @param {number} view.columns
 * @param {number} view.row px from one row to the next
 * @param {number} view.top px of the list above the upper edge of the screen
 * @param {number} view.height px of the screen
 * @param {number} view.spare rows to keep beyond each edge
 * @returns {{ first: number, last: number }} `last` is included; less than `first` if there is none
 */
export function placesIn({ count, columns, row, top, height, spare }) {
  const rows = Math.ceil(count / columns);
  const from = Math.floor(top / row) - spare;
  const to = Math.floor((top + height) / row) + spare;
  const first = Math.max(0, Math.min(from, rows - 1)) * columns;
  const last = Math.min(count, (Math.max(0, to) + 1) * columns) - 1;
  return { first, last };
}
