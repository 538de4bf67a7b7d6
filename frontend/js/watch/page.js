import { createAccount } from "../account.js";
import { find } from "../dom.js";
import { createShell } from "../shell.js";
import { createAbout } from "./about.js";
import { follow } from "./follow.js";
import { createShare } from "./share.js";
import { createStage } from "./stage.js";
import { parseTime } from "./time.js";

async function start() {
  const shell = createShell();
  const query = new URLSearchParams(location.search);
  const about = createAbout(find(document, "#about", HTMLElement));
  const share = createShare(find(document, "#share", HTMLElement));
  const stage = createStage({
    element: find(document, "#stage", HTMLElement),
    start_s: parseTime(query.get("t")),
    onLevel: about.setCurrent,
    onPlayer: share.follow,
    onRetry: () => location.reload(),
  });
  await follow({
    id: query.get("v") ?? "",
    token: shell.session.token,
    stage,
    // A video is the same to everybody: it plays on, whoever signs in or out.
    onApi: (api) =>
      void createAccount({ shell, api, onChange: () => {} }).check(),
    onVideo(video, active) {
      about.show(video);
      stage.show(video);
      share.show(video);
      shell.setFlowing(active);
    },
  });
}

start().catch((error) => console.error(error));
