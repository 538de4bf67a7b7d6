// The text below the stage.
import { find, say, setLevel, stamp } from "../dom.js";
import { ago, statusWords } from "../format.js";
import { factsOf, renditionOf, rungsOf } from "./facts.js";

/** @import { Level } from "../../player/levels.js" */
/** @import { Rendition, Video } from "../types.js" */

/** @param {HTMLElement} element */
export function createAbout(element) {
  const status = find(element, "#status", HTMLElement);
  const facts = find(element, "#facts", HTMLElement);
  const rungs = find(element, "#rungs", HTMLElement);
  const rungList = find(element, "#rung-list", HTMLElement);
  /** @type {Level | null} */
  let level = null;
  /** @type {readonly Rendition[]} */
  let renditions = [];
  let shown = "";

  function markRung() {
    const current = renditionOf(level, renditions);
    for (const rung of rungList.children)
      if (rung instanceof HTMLElement) {
        const here = rung.dataset["name"] === current;
        rung.toggleAttribute("data-current", here);
        if (here) rung.setAttribute("aria-current", "true");
        else rung.removeAttribute("aria-current");
      }
  }

  /** @param {Video} video */
  function showLists(video) {
    facts.replaceChildren(
      ...factsOf(video).map(([label, value]) => {
        const fact = stamp("fact");
        say(find(fact, "dt", HTMLElement), label);
        say(find(fact, "dd", HTMLElement), value);
        return fact;
      }),
    );
    renditions = video.renditions ?? [];
    const ladder = rungsOf(renditions);
    rungs.hidden = ladder.length === 0;
    rungList.replaceChildren(
      ...ladder.map(({ name, level, rate }) => {
        const rung = stamp("rung");
        rung.dataset["name"] = name;
        say(find(rung, ".rung__name", HTMLElement), name);
        setLevel(find(rung, ".rung__bar", HTMLElement), level);
        say(find(rung, ".rung__rate", HTMLElement), rate);
        return rung;
      }),
    );
    markRung();
  }

  return {
    element,
    /** @param {Video} video */
    show(video) {
      element.hidden = false;
      const title = video.title || "Untitled";
      say(find(element, "#title", HTMLElement), title);
      document.title = `${title} · Millrace`;
      status.dataset["status"] = video.status;
      say(status, statusWords(video));
      say(find(element, "#when", HTMLElement), ago(video.created_at));
      const lists = JSON.stringify([
        video.media,
        video.renditions,
        video.width,
      ]);
      if (lists !== shown) showLists(video);
      shown = lists;
    },
    /** @param {Level | null} playing what is on the screen */
    setCurrent(playing) {
      level = playing;
      markRung();
    },
    destroy: () => element.replaceChildren(),
  };
}
