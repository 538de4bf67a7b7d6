// What is known of the bar that is pointed at.
import { find, say } from "../dom.js";
import { factsOf, outcomeWords, whyWords } from "./words.js";

/** @import { Bar, Row } from "./rows.js" */

/** @param {[string, string]} fact */
function line([name, value]) {
  const pair = document.createElement("div");
  const term = document.createElement("dt");
  const text = document.createElement("dd");
  term.textContent = name;
  text.textContent = value;
  pair.append(term, text);
  return pair;
}

/** @param {HTMLElement} element */
export function createInspector(element) {
  const title = find(element, "#inspector-title", HTMLElement);
  const what = find(element, "#inspector-what", HTMLElement);
  const facts = find(element, "#inspector-facts", HTMLElement);
  let shown = "";
  return {
    element,
    /** @param {Row} row @param {Bar} bar */
    show(row, bar) {
      const outcome = bar.waited ? "queue" : bar.span.outcome;
      const why = whyWords(bar);
      const now = JSON.stringify([row.name, outcome, why, bar]);
      if (now === shown) return;
      shown = now;
      say(title, row.name);
      element.dataset["outcome"] = outcome;
      say(what, why ? `${outcomeWords(bar)}. ${why}` : `${outcomeWords(bar)}.`);
      facts.replaceChildren(...factsOf(bar).map(line));
    },
  };
}
