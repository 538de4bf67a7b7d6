// A video in somebody else's page. It knows no token: it shows what everybody may see.
import { find } from "../dom.js";
import { addressOf } from "../watch/snippet.js";
import { follow } from "../watch/follow.js";
import { createStage } from "../watch/stage.js";
import { parseTime } from "../watch/time.js";

/** @import { Video } from "../types.js" */

/** @param {Video} video */
function showTitle({ id, title }) {
  const link = find(document, "#title", HTMLAnchorElement);
  link.textContent = title || "Untitled";
  link.href = addressOf("watch.html", { id, start_s: 0, base: location.href });
  find(document, ".embed__title", HTMLElement).hidden = false;
  document.title = `${title || "Untitled"} · Millrace`;
}

async function start() {
  const query = new URLSearchParams(location.search);
  const stage = createStage({
    element: find(document, "#stage", HTMLElement),
    start_s: parseTime(query.get("t")),
    autoplay: query.get("autoplay") === "1",
    muted: query.get("muted") === "1",
    onRetry: () => location.reload(),
  });
  await follow({
    id: query.get("v") ?? "",
    token: () => null,
    stage,
    onVideo(video) {
      showTitle(video);
      stage.show(video);
    },
  });
}

start().catch((error) => console.error(error));
