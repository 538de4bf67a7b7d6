import { connect } from "../api.js";
import { find, say } from "../dom.js";
import { createPoller } from "../poller.js";
import { isRefusal } from "../refusal.js";
import { createShell } from "../shell.js";
import { createCharts } from "./charts.js";
import { createDoor } from "./door.js";
import { createFailure } from "./failure.js";
import { createFigures } from "./figures.js";
import { createQueues, LETTER_QUEUES } from "./queues.js";
import { createRange, RANGES } from "./range.js";
import { createWorkers } from "./workers.js";

/** @import { Stats } from "./types.js" */

/** @param {HTMLElement} main */
function createDesk(main) {
  const desk = find(main, "#desk", HTMLElement);
  const lede = find(main, "#lede", HTMLElement);
  const letters = find(main, "#letter-count", HTMLElement);
  const figures = createFigures(main);
  const charts = createCharts(find(main, "#charts", HTMLElement));
  const queues = createQueues(find(main, "#queues", HTMLElement));
  const workers = createWorkers(
    find(main, "#workers", HTMLElement),
    find(main, "#workers-note", HTMLElement),
  );
  return {
    showWorkers: workers.show,
    /** @param {Stats} stats */
    show(stats) {
      desk.removeAttribute("data-waiting");
      figures.show(stats);
      charts.show(stats);
      queues.show(stats.queues);
      const dead = stats.queues
        .filter(({ name }) => LETTER_QUEUES.includes(name))
        .reduce((sum, each) => sum + each.dead_letters, 0);
      say(letters, dead > 0 ? String(dead) : null);
      const time = new Date(stats.at).toLocaleTimeString("en-GB");
      say(
        lede,
        `${RANGES[stats.range] ?? stats.range}, as of ${time}`.replace(
          /^t/,
          "T",
        ),
      );
    },
  };
}

async function start() {
  const shell = createShell();
  const main = find(document, "main", HTMLElement);
  const api = await connect({ token: shell.session.token });
  const desk = createDesk(main);
  const failure = createFailure(main, () => poller.now());
  /** @type {Date | null} */
  let since = null;
  let open = false;
  /** Answers to a question that is no longer asked are dropped. */
  let question = 0;
  const range = createRange({
    element: find(main, "#ranges", HTMLElement),
    onChange() {
      question += 1;
      if (open) poller.now();
    },
  });
  const door = createDoor({
    element: main,
    shell,
    api,
    onOpen() {
      open = true;
      poller.now();
    },
    onClose() {
      open = false;
      question += 1;
      failure.clear();
      shell.setFlowing(false);
    },
  });
  const poller = createPoller({
    async poll(signal) {
      const asked = question;
      if (!open) return { active: false, changed: false };
      const [stats, { workers }] = await Promise.all([
        api.stats(range.now(), signal),
        api.workers(signal),
      ]);
      if (asked !== question) return { active: true, changed: true };
      since = new Date();
      failure.recover();
      desk.show(stats);
      desk.showWorkers(workers);
      shell.setFlowing((stats.videos["processing"] ?? 0) > 0);
      main.setAttribute("aria-busy", "false");
      // Figures change all the time: the pace stays.
      return { active: false, changed: true };
    },
    onError(error) {
      if (isRefusal(error)) return door.refuse(error);
      if (open) failure.show(error, since);
    },
  });
  await door.check();
}

start().catch((error) => {
  const main = find(document, "main", HTMLElement);
  main.setAttribute("aria-busy", "false");
  createFailure(main, () => location.reload()).show(error);
});
