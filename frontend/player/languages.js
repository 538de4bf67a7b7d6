/**
 * @param {string} tag BCP 47 or ISO 639
 * @returns {string} "German", in the reader's language; the tag where browsers do not know it
 */
export function languageName(tag) {
  try {
    const names = new Intl.DisplayNames(navigator.languages, {
      type: "language",
    });
    return names.of(tag) ?? tag;
  } catch {
    return tag; // not even the form of a tag
  }
}

/**
 * @param {{ name: string, lang?: string | undefined }} track as the playlist has it: "deu (2)"
 * @returns {string} "German (2)"
 */
export const trackName = ({ name, lang }) =>
  lang ? name.replace(lang, languageName(lang)) : name;
