// A fill of slanting lines: it is told from a plain one without its colour.

const SIDE_PX = 8;
/** @type {Map<string, CanvasPattern>} */
const made = new Map();

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} colour
 * @returns {CanvasPattern | string} the colour alone where patterns cannot be had
 */
export function hatch(context, colour) {
  const before = made.get(colour);
  if (before) return before;
  const tile = document.createElement("canvas");
  tile.width = tile.height = SIDE_PX;
  const pen = tile.getContext("2d");
  if (!pen) return colour;
  pen.fillStyle = colour;
  pen.globalAlpha = 0.35;
  pen.fillRect(0, 0, SIDE_PX, SIDE_PX);
  pen.globalAlpha = 1;
  pen.strokeStyle = colour;
  pen.lineWidth = 3;
  // Three lines, so that the tiles join at their corners.
  for (const shift of [-SIDE_PX, 0, SIDE_PX]) {
    pen.moveTo(shift, SIDE_PX);
    pen.lineTo(shift + SIDE_PX, 0);
  }
  pen.stroke();
  const pattern = context.createPattern(tile, "repeat");
  if (pattern) made.set(colour, pattern);
  return pattern ?? colour;
}
