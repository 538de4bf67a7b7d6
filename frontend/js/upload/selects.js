// Choices as form controls.

/** @import { LadderChoice } from "../types.js" */
import { ladderLabel } from "./choices.js";

/**
 * @param {HTMLSelectElement} select
 * @param {string} first what an empty value stands for
 * @param {readonly string[]} values
 * @param {Record<string, string>} [words] by value
 */
export function fill(select, first, values, words = {}) {
  const options = values.map(
    (value) => new Option(words[value] ?? value, value),
  );
  const kept = select.value;
  select.replaceChildren(new Option(first, ""), ...options);
  if (values.includes(kept)) select.value = kept;
}

/** @param {readonly LadderChoice[]} ladders @returns {Record<string, string>} */
export const ladderWords = (ladders) =>
  Object.fromEntries(ladders.map(({ name }) => [name, ladderLabel(name)]));
