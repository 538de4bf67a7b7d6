import { connect } from "../api.js";
import { find, say } from "../dom.js";
import { createShell } from "../shell.js";
import { createAccess } from "./access.js";
import { createDrop } from "./drop.js";
import { createQueue } from "./queue.js";
import { createTracker } from "./tracker.js";

/** @param {{ files: number, open: number }} summary */
function countWords({ files, open }) {
  if (files === 0) return null;
  const all = `${files} ${files === 1 ? "file" : "files"}`;
  return open > 0 ? `${all}, ${open} on the way` : all;
}

async function start() {
  const shell = createShell();
  const main = find(document, "main", HTMLElement);
  const count = find(main, "#queue-count", HTMLElement);
  const nothing = find(main, "#queue-empty", HTMLElement);
  const api = await connect({ token: shell.session.token });
  const tracker = createTracker({ api, onFlow: shell.setFlowing });
  let open = 0;

  const access = createAccess({
    element: find(main, ".access", HTMLElement),
    session: shell.session,
    onToken: () => queue.retryUnauthorized(),
  });
  const queue = createQueue({
    element: find(main, "#queue", HTMLElement),
    api,
    tracker,
    onChange(summary) {
      open = summary.open;
      say(count, countWords(summary));
      nothing.hidden = summary.files > 0;
      if (summary.needsToken)
        access.ask(
          shell.session.token()
            ? "This token was not accepted."
            : "Uploading needs a token.",
        );
    },
  });
  createDrop({
    element: find(main, "#drop", HTMLElement),
    onFiles: (files) => queue.add(files),
  });
  addEventListener("beforeunload", (event) => {
    if (open > 0) event.preventDefault();
  });
}

start().catch((error) => {
  say(find(document, "#failure-text", HTMLElement), error.message);
  const retry = find(document, "#retry", HTMLButtonElement);
  retry.addEventListener("click", () => location.reload());
  find(document, "#failure", HTMLElement).hidden = false;
});
