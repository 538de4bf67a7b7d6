import { ApiError, connect } from "../api.js";
import { find } from "../dom.js";
import { createPoller } from "../poller.js";
import { createShell } from "../shell.js";
import { createAbout } from "./about.js";
import { createStage } from "./stage.js";
import { parseTime } from "./time.js";

async function start() {
  const shell = createShell();
  const query = new URLSearchParams(location.search);
  const id = query.get("v") ?? "";
  const about = createAbout(find(document, "#about", HTMLElement));
  const stage = createStage({
    element: find(document, "#stage", HTMLElement),
    start_s: parseTime(query.get("t")),
    onLevel: about.setCurrent,
    onRetry: () => location.reload(),
  });
  if (!id) {
    stage.showMessage("Which video?", "The address names none.");
    return;
  }
  const api = await connect({ token: shell.session.token }).catch((error) => {
    stage.showMessage("Millrace is not ready", error.message, { again: true });
    throw error;
  });
  const poller = createPoller({
    async poll(signal) {
      const video = await api.getVideo(id, signal);
      about.show(video);
      stage.show(video);
      const active = video.status === "queued" || video.status === "processing";
      shell.setFlowing(active);
      if (!active) poller.destroy();
      return { active, changed: true };
    },
    onError(error) {
      if (error instanceof ApiError && error.status === 404) {
        stage.showMessage(
          "There is no such video",
          "It may have been deleted, or its file has not arrived yet.",
        );
        poller.destroy();
      } else if (!stage.hasPlayer())
        // What plays is not disturbed; the poller goes on by itself.
        stage.showMessage(
          "Millrace cannot be reached",
          error instanceof Error ? error.message : "",
          { again: true },
        );
    },
  });
  poller.now();
}

start().catch((error) => console.error(error));
