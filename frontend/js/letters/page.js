import { connect } from "../api.js";
import { createConfirm } from "../confirm.js";
import { createDoor } from "../dashboard/door.js";
import { createFailure } from "../dashboard/failure.js";
import { LETTER_QUEUES } from "../dashboard/queues.js";
import { find } from "../dom.js";
import { createAnnouncer } from "../gallery/announcer.js";
import { createShell } from "../shell.js";
import { createLetters } from "./letters.js";

/** @returns {string | null} the queue of the address; null: all */
function queueOf() {
  const given = new URLSearchParams(location.search).get("queue") ?? "";
  return LETTER_QUEUES.includes(given) ? given : null;
}

/** @param {HTMLElement} element @param {() => void} onChange */
function wireQueues(element, onChange) {
  const show = () => {
    const chosen = `input[value="${queueOf() ?? ""}"]`;
    find(element, chosen, HTMLInputElement).checked = true;
  };
  element.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement)) return;
    const url = new URL(location.href);
    if (target.value) url.searchParams.set("queue", target.value);
    else url.searchParams.delete("queue");
    history.pushState(null, "", url);
    onChange();
  });
  addEventListener("popstate", () => {
    show();
    onChange();
  });
  show();
}

async function start() {
  const shell = createShell();
  const main = find(document, "main", HTMLElement);
  const api = await connect({ token: shell.session.token });
  const confirm = createConfirm(find(document, "#confirm", HTMLDialogElement));
  const letters = createLetters({
    element: main,
    api,
    queue: queueOf,
    confirm: confirm.ask,
    announcer: createAnnouncer(find(main, "#news", HTMLElement)),
    onRefused: (error) => door.refuse(error),
  });
  const door = createDoor({
    element: main,
    shell,
    api,
    onOpen: letters.open,
    onClose: letters.close,
  });
  wireQueues(find(main, "#queues", HTMLElement), letters.again);
  await door.check();
}

start().catch((error) => {
  const main = find(document, "main", HTMLElement);
  main.setAttribute("aria-busy", "false");
  createFailure(main, () => location.reload()).show(error);
});
