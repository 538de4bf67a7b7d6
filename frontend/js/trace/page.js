import { createAccount } from "../account.js";
import { ApiError, connect } from "../api.js";
import { createFailure } from "../dashboard/failure.js";
import { find, say } from "../dom.js";
import { statusWords } from "../format.js";
import { createPoller } from "../poller.js";
import { createShell } from "../shell.js";
import { createFacts, factsOf } from "./facts.js";
import { createInspector } from "./inspector.js";
import { length_ms, marksOf, rowsOf } from "./rows.js";
import { createSave } from "./save.js";
import { createWaterfall } from "./waterfall.js";

/** @import { Trace } from "../dashboard/types.js" */
/** @import { Row } from "./rows.js" */

/** @param {Row} row */
const hasFailed = ({ bars }) =>
  bars.some(({ span }) => span.outcome === "failed");

/** @param {HTMLElement} main */
function createView(main) {
  const status = find(main, "#status", HTMLElement);
  const watch = find(main, "#watch", HTMLAnchorElement);
  const facts = createFacts(find(main, "#facts", HTMLElement));
  const inspector = createInspector(find(main, "#inspector", HTMLElement));
  let wrong = "";
  const waterfall = createWaterfall({
    element: find(main, "#falls", HTMLElement),
    onPoint: inspector.show,
  });

  return {
    /** @param {string | null} task where to begin; null: where it went wrong, if it did */
    start: (task) => waterfall.start(task ?? wrong),
    /** @param {Trace} trace */
    show(trace) {
      const now_ms = Date.now();
      const rows = rowsOf(trace, now_ms);
      const took_ms = length_ms(trace, now_ms);
      const title = trace.title || "Untitled";
      document.title = `${title} · Trace · Millrace`;
      say(find(main, "#title", HTMLElement), title);
      status.dataset["status"] = trace.status;
      say(status, statusWords({ status: trace.status }));
      say(find(main, "#lede", HTMLElement), `Trace ${trace.trace_id}`);
      watch.href = `watch.html?v=${encodeURIComponent(trace.video_id)}`;
      watch.hidden = false;
      find(main, "#rows", HTMLElement).setAttribute(
        "aria-label",
        `Tasks of ${title}`,
      );
      wrong = rows.find(hasFailed)?.key ?? "";
      facts.show(factsOf(trace, rows, took_ms));
      waterfall.show(rows, {
        length_ms: took_ms,
        marks: marksOf(trace, took_ms),
      });
      main.setAttribute("aria-busy", "false");
    },
    /** @param {string} title @param {string} text */
    refuse(title, text) {
      say(find(main, "#empty-title", HTMLElement), title);
      say(find(main, "#empty-text", HTMLElement), text);
      find(main, "#empty", HTMLElement).hidden = false;
      find(main, "#trace", HTMLElement).hidden = true;
      find(main, "#facts", HTMLElement).hidden = true;
      main.setAttribute("aria-busy", "false");
    },
  };
}

/** @param {Trace} trace */
const isLive = ({ to, spans }) =>
  to === null || spans.some((each) => each.to === null);

async function start() {
  const shell = createShell();
  const main = find(document, "main", HTMLElement);
  const query = new URLSearchParams(location.search);
  const id = query.get("v") ?? "";
  const view = createView(main);
  if (!id) return view.refuse("Which video?", "The address names none.");
  const api = await connect({ token: shell.session.token });
  const account = createAccount({
    shell,
    api,
    onChange: () => location.reload(),
  });
  void account.check();
  const failure = createFailure(main, () => poller.now());
  const save = createSave({
    element: find(main, "#tools", HTMLButtonElement),
    load: () => api.traceForTools(id),
    name: `trace-${id}.json`,
    onRefused: failure.refuse,
  });
  /** @type {Date | null} */
  let since = null;

  const poller = createPoller({
    async poll(signal) {
      const trace = await api.trace(id, signal);
      failure.recover();
      view.show(trace);
      if (since === null) view.start(query.get("task"));
      since = new Date();
      save.offer();
      const live = isLive(trace);
      shell.setFlowing(live);
      if (!live) poller.destroy();
      return { active: live, changed: true };
    },
    onError(error) {
      if (!(error instanceof ApiError) || error.temporary)
        return failure.show(error, since);
      poller.destroy();
      if (error.status !== 404) return failure.refuse(error.message);
      view.refuse(
        "There is no such video",
        "It may have been deleted, or it is not shown to everybody.",
      );
    },
  });
  poller.now();
}

start().catch((error) => {
  const main = find(document, "main", HTMLElement);
  main.setAttribute("aria-busy", "false");
  createFailure(main, () => location.reload()).show(error);
});
