import { find, say, setLevel } from "../dom.js";
import { size } from "../format.js";
import { createBoard, link, span } from "./board.js";
import { count, counted, lasting } from "./numbers.js";

/** @import { Worker } from "./types.js" */

const WORDS = {
  working: "Working",
  idle: "Idle",
  unresponsive: "Not heard of",
};

/** @param {Worker} worker */
function status(worker) {
  const chip = span("status", WORDS[worker.status] ?? worker.status);
  chip.dataset["status"] = {
    working: "processing",
    idle: "idle",
    unresponsive: "failed",
  }[worker.status];
  return chip;
}

/** @param {Worker} worker */
function task({ task_id, video_id, attempt, percent }) {
  if (!task_id || !video_id) return "–";
  const later = attempt !== null && attempt > 1 ? ` (attempt ${attempt})` : "";
  const address = `trace.html?v=${encodeURIComponent(video_id)}&task=${encodeURIComponent(task_id)}`;
  const cell = span(
    "work",
    link(address, task_id, `Trace of ${task_id}${later}`),
    later,
  );
  if (percent === null) return cell;
  const bar = span("level");
  setLevel(bar, percent / 100);
  cell.append(bar, span("work__percent", `${count(percent)} %`));
  return cell;
}

/** @param {Worker} worker */
function cpu({ cpu_percent }) {
  if (cpu_percent === null) return "–";
  const bar = span("level");
  bar.dataset["of"] = "cpu";
  setLevel(bar, cpu_percent / 100);
  return span("work", bar, span("work__percent", `${count(cpu_percent)} %`));
}

/** @param {HTMLElement} element @param {HTMLElement} note */
export function createWorkers(element, note) {
  const board = createBoard({
    name: "Workers",
    columns: [
      { name: "Worker" },
      { name: "Status" },
      { name: "Task" },
      { name: "CPU", kind: "number" },
      { name: "Memory", kind: "number" },
      { name: "Last heartbeat", kind: "number" },
    ],
    /** @param {Worker} worker */
    keyOf: ({ id }) => id,
    /** @param {Worker} worker */
    cells: (worker) => [
      span(
        "worker",
        span("worker__function", worker.function),
        span("worker__id", worker.id),
      ),
      status(worker),
      task(worker),
      cpu(worker),
      size(worker.memory_bytes) || "–",
      `${lasting(worker.heartbeat_age_s)} ago`,
    ],
    dress: (row, worker) =>
      row.toggleAttribute("data-alarm", worker.status === "unresponsive"),
  });
  element.append(board.element);
  const table = find(element, "table", HTMLElement);

  return {
    element,
    /** @param {readonly Worker[]} workers */
    show(workers) {
      const working = workers.filter(
        (each) => each.status === "working",
      ).length;
      table.hidden = workers.length === 0;
      say(
        note,
        workers.length === 0
          ? "None was heard of in the last 15 minutes. Workers come when there is work."
          : `${counted(workers.length, "worker")}, ${count(working)} working.`,
      );
      board.show(workers);
    },
  };
}
