import { createBoard, link } from "./board.js";
import { count, counted, lasting } from "./numbers.js";

/** @import { QueueNow } from "./types.js" */

/** The queues of tasks: what died there can be redriven. */
export const LETTER_QUEUES = ["probe", "transcode", "thumbnail"];

/** @param {QueueNow} queue */
function letters({ name, dead_letters }) {
  if (dead_letters === 0 || !LETTER_QUEUES.includes(name))
    return count(dead_letters);
  const pill = link(
    `dead-letters.html?queue=${encodeURIComponent(name)}`,
    count(dead_letters),
    `${counted(dead_letters, "dead letter")} of ${name}`,
  );
  pill.className = "pill";
  return pill;
}

/** @param {HTMLElement} element */
export function createQueues(element) {
  const board = createBoard({
    name: "Queues",
    columns: [
      { name: "Queue" },
      { name: "Waiting", kind: "number" },
      { name: "In flight", kind: "number" },
      { name: "Oldest", kind: "number" },
      { name: "Dead letters", kind: "number" },
    ],
    /** @param {QueueNow} queue */
    keyOf: ({ name }) => name,
    /** @param {QueueNow} queue */
    cells: (queue) => [
      queue.name,
      count(queue.waiting),
      count(queue.in_flight),
      lasting(queue.oldest_age_s),
      letters(queue),
    ],
  });
  board.element.classList.add("table--close");
  element.append(board.element);
  return { element, show: board.show };
}
