import { connect } from "../api.js";
import { find, say } from "../dom.js";
import { createShell } from "../shell.js";
import { createGallery } from "./gallery.js";

/** @import { Status } from "../types.js" */

/** @type {Status[]} */
const FILTERS = ["queued", "processing", "completed", "failed"];

/** @param {string | null} value */
const asStatus = (value) => FILTERS.find((status) => status === value) ?? null;

/** @param {Status | null} status */
function remember(status) {
  const url = new URL(location.href);
  if (status) url.searchParams.set("status", status);
  else url.searchParams.delete("status");
  history.replaceState(history.state, "", url);
}

async function start() {
  const shell = createShell();
  const main = find(document, "main", HTMLElement);
  const filter = find(main, ".filter", HTMLElement);
  const status = asStatus(new URLSearchParams(location.search).get("status"));
  find(filter, `input[value="${status ?? ""}"]`, HTMLInputElement).checked =
    true;
  const api = await connect({ token: shell.session.token });
  const gallery = createGallery({
    element: main,
    api,
    status,
    onFlow: shell.setFlowing,
  });
  filter.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement)) return;
    const next = asStatus(target.value);
    remember(next);
    gallery.filter(next);
  });
}

start().catch((error) => {
  find(document, "#skeletons", HTMLElement).hidden = true;
  say(find(document, "#failure-text", HTMLElement), error.message);
  const retry = find(document, "#retry", HTMLButtonElement);
  retry.addEventListener("click", () => location.reload());
  find(document, "#failure", HTMLElement).hidden = false;
});
