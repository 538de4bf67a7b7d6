// The numbers above the charts: what is now, and what was in the time chosen.
import { find } from "../dom.js";
import { size } from "../format.js";
import { count, counted, dollars, lasting, rate, share } from "./numbers.js";

/** @import { Stats, Window } from "./types.js" */

/** @param {Window} window @returns {Record<string, [string, string]>} value and note, by place */
const ofWindow = (window) => ({
  rate: [
    rate(window.videos_per_hour),
    counted(window.completed, "video completed", "videos completed"),
  ],
  errors: [
    share(window.error_rate),
    counted(window.failed, "video failed", "videos failed"),
  ],
  retries: [
    count(window.retries),
    `${counted(window.dead_letters, "dead letter")}, ${counted(window.lost_workers, "worker lost", "workers lost")}`,
  ],
  playable: [
    lasting(window.time_to_playable_s.p50),
    window.time_to_playable_s.count > 0
      ? `half of them; 95 % in ${lasting(window.time_to_playable_s.p95)}`
      : "none became playable",
  ],
  bytes: [
    size(window.bytes_out),
    `out of ${size(window.bytes_in)}, ${lasting(window.source_seconds)} of video`,
  ],
  cost: [
    dollars(window.cost_usd),
    `${dollars(window.cost_usd_per_source_minute)} a minute of video`,
  ],
});

/** @param {HTMLElement} element */
export function createFigures(element) {
  /** @param {string} id @param {string} text */
  function put(id, text) {
    const place = find(element, `#${id}`, HTMLElement);
    if (place.textContent !== text) place.textContent = text;
  }

  return {
    element,
    /** @param {Stats} stats */
    show({ videos, tasks, window }) {
      for (const state of ["queued", "processing", "completed", "failed"])
        put(`now-${state}`, count(videos[state] ?? 0));
      for (const state of ["running", "pending"])
        put(`now-${state}`, count(tasks[state] ?? 0));
      for (const [place, [value, note]] of Object.entries(ofWindow(window))) {
        put(`window-${place}`, value);
        put(`note-${place}`, note);
      }
    },
  };
}
