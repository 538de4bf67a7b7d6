import { createAccount } from "../account.js";
import { connect } from "../api.js";
import { find, say } from "../dom.js";
import { createShell } from "../shell.js";
import { createAnnouncer } from "./announcer.js";
import { createConfirm } from "../confirm.js";
import { createControls } from "./controls.js";
import { createGallery } from "./gallery.js";
import { readQuery, writeQuery } from "./query.js";

/** @import { Query } from "./query.js" */

/**
 * One step back for each change; what is typed in one go is one change.
 * @param {Query} query
 * @param {{ typing: boolean }} options
 */
function remember(query, { typing }) {
  const address = writeQuery(location.href, query);
  if (typing && history.state?.typing)
    history.replaceState({ typing }, "", address);
  else history.pushState({ typing }, "", address);
}

async function start() {
  const shell = createShell();
  const main = find(document, "main", HTMLElement);
  const api = await connect({ token: shell.session.token });
  const account = createAccount({
    shell,
    api,
    // Another reader has other videos, and other things to do with them.
    onChange: () => location.reload(),
  });
  const caller = await account.check();
  const admin = caller?.roles.includes("admin") ?? false;
  find(main, "#cancelled", HTMLElement).hidden = !admin;
  const confirm = createConfirm(find(document, "#confirm", HTMLDialogElement));
  const announcer = createAnnouncer(find(main, "#news", HTMLElement));
  const query = readQuery(location.search);
  const gallery = createGallery({
    element: main,
    api,
    query,
    isAdmin: () => admin,
    confirm: confirm.ask,
    announcer,
    onFlow: shell.setFlowing,
  });
  const controls = createControls({
    element: find(main, "#controls", HTMLElement),
    query,
    onChange(next, options) {
      remember(next, options);
      gallery.ask(next);
    },
  });
  find(main, "#clear", HTMLButtonElement).addEventListener("click", () => {
    controls.clear();
    find(main, "#search", HTMLInputElement).focus();
  });
  addEventListener("popstate", () => {
    const next = readQuery(location.search);
    controls.show(next);
    gallery.ask(next);
  });
}

start().catch((error) => {
  find(document, "#skeletons", HTMLElement).hidden = true;
  say(find(document, "#failure-text", HTMLElement), error.message);
  const retry = find(document, "#retry", HTMLButtonElement);
  retry.addEventListener("click", () => location.reload());
  find(document, "#failure", HTMLElement).hidden = false;
});
