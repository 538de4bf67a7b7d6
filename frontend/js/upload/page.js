import { connect } from "../api.js";
import { find, say } from "../dom.js";
import { size } from "../format.js";
import { createShell } from "../shell.js";
import { limitsOf } from "./accept.js";
import { createAccess } from "./access.js";
import { createBulk } from "./bulk.js";
import { createDrop } from "./drop.js";
import { createGate } from "./gate.js";
import { judge } from "./judge.js";
import { createLedger } from "./ledger.js";
import { createLeftovers } from "./leftovers.js";
import { createQueue } from "./queue.js";
import { retry } from "./retry.js";
import { createSettings } from "./settings.js";
import { createTabs } from "./tabs.js";
import { createTracker } from "./tracker.js";

/** @import { Standing } from "./access.js" */
/** @import { Dropped } from "./folder.js" */
/** @import { Summary } from "./queue.js" */

/** How long the list of unfinished uploads is waited for, when the API does not answer. */
const PATIENCE_MS = 2000;

const elapsed = (/** @type {number} */ milliseconds) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** @param {{ doubles: File[], foreign: number }} leftOut */
function leftOutWords({ doubles, foreign }) {
  const [first] = doubles;
  const words = [];
  if (first && doubles.length === 1)
    words.push(`${first.name} is in the list already.`);
  else if (first)
    words.push(`${doubles.length} files are in the list already.`);
  if (foreign === 1) words.push("One file in the folder is no video.");
  if (foreign > 1) words.push(`${foreign} files in the folder are no videos.`);
  return words.join(" ") || null;
}

async function start() {
  const shell = createShell();
  const main = find(document, "main", HTMLElement);
  const note = find(main, "#queue-note", HTMLElement);
  const nothing = find(main, "#queue-empty", HTMLElement);
  const list = find(main, "#queue", HTMLElement);
  // Listens before the first request: what is picked or dropped while it is under way is kept.
  /** @type {(take: (dropped: Dropped) => Promise<void>) => void} */
  let ready = () => {};
  /** @type {Promise<(dropped: Dropped) => Promise<void>>} */
  const taker = new Promise((resolve) => void (ready = resolve));
  const drop = createDrop({
    element: find(main, "#drop", HTMLElement),
    onFiles: (dropped) => void taker.then((take) => take(dropped)),
  });
  const api = await connect({ token: shell.session.token });
  const tracker = createTracker({ api, onFlow: shell.setFlowing });
  const gate = createGate();
  const ledger = createLedger({
    storage: localStorage,
    site: new URL(".", document.baseURI).href,
  });
  const settings = createSettings({
    element: find(main, "#settings", HTMLDetailsElement),
  });
  const bulk = createBulk({
    element: find(main, "#queue-head", HTMLElement),
    actions: {
      pauseAll: () => queue.pauseAll(),
      resumeAll: () => queue.resumeAll(),
      sendAll: () => queue.sendAll(),
      cancelAll: () => queue.cancelAll(),
      clear: () => queue.clear(),
    },
  });
  /** @type {Standing} */
  let standing = {
    mayUpload: shell.session.token() !== null,
    name: "",
    roles: [],
    why: "",
  };
  /** @type {Summary | null} */
  let summary = null;
  let tellShown = () => {};
  /** @type {Promise<void>} */
  const shown = new Promise((resolve) => void (tellShown = resolve));

  function show() {
    if (!summary) return;
    const unfinished = leftovers.count();
    bulk.show(summary, unfinished);
    nothing.hidden = summary.files + unfinished > 0;
    if (summary.needsToken !== null) access.ask(summary.needsToken);
  }

  const queue = createQueue({
    element: list,
    api,
    gate,
    ledger,
    owner: () => standing.name ?? "",
    settings,
    tracker,
    onChange(now) {
      summary = now;
      show();
    },
  });
  const tabs = createTabs(queue.sending);
  const leftovers = createLeftovers({
    element: list,
    picker: find(main, "#again", HTMLInputElement),
    api,
    ledger,
    tabs,
    tracker,
    onFile: queue.goOn,
    onChange: show,
  });
  const access = createAccess({
    element: find(main, ".access", HTMLElement),
    session: shell.session,
    api,
    onChange: stand,
  });

  /** @param {Standing} now */
  function stand(now) {
    standing = now;
    shell.admit(now.roles);
    drop.allow(now.mayUpload, now.why);
    if (now.mayUpload) {
      gate.open();
      void leftovers.show(now.name ?? "", queue.has).then(tellShown);
    } else {
      leftovers.hide();
      tellShown();
      if (shell.session.token() === null) queue.pauseAll();
    }
  }

  /** @param {Dropped} dropped */
  async function take(dropped) {
    // A file of an unfinished upload is to be known as that, however soon it is picked.
    await Promise.race([shown, elapsed(PATIENCE_MS)]);
    if (!standing.mayUpload)
      return access.ask("Enter an access token first, then pick the files.");
    say(note, leftOutWords(queue.add(dropped, leftovers.claim)));
  }

  async function learnRules() {
    const { signal } = new AbortController();
    const rules = await retry(() => api.uploadRules(signal), { judge, signal });
    queue.setLimits(limitsOf(rules));
    settings.offer(rules.settings);
    drop.hint(`Each may have up to ${size(rules.max_bytes)}.`);
  }

  addEventListener("beforeunload", (event) => {
    if (summary && summary.open > 0) event.preventDefault();
  });
  // Without them the API still has the last word on every file.
  void learnRules().catch(() => {});
  queue.tell();
  ready(take);
  await access.check();
}

start().catch((error) => {
  say(find(document, "#failure-text", HTMLElement), error.message);
  const retry = find(document, "#retry", HTMLButtonElement);
  retry.addEventListener("click", () => location.reload());
  find(document, "#failure", HTMLElement).hidden = false;
});
