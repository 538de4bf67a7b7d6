// The tokens' colours for a canvas, which knows no custom properties.

/** @typedef {ReturnType<typeof createPalette>} Palette */
/** @typedef {"water" | "brass" | "leaf" | "rust" | "ink" | "ink-soft" | "line" | "surface"} Tone */

/** @param {() => void} onChange told when the theme is another */
export function createPalette(onChange) {
  const controller = new AbortController();
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  /** @type {Map<Tone, string>} */
  const known = new Map();

  function forget() {
    known.clear();
    onChange();
  }
  const observer = new MutationObserver(forget);
  observer.observe(document.documentElement, {
    attributeFilter: ["data-theme"],
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener(
    "change",
    forget,
    { signal: controller.signal },
  );

  return {
    /** @param {Tone} tone @returns {string} a colour as a canvas takes it */
    colour(tone) {
      const before = known.get(tone);
      if (before) return before;
      probe.style.color = `var(--${tone})`;
      const colour = getComputedStyle(probe).color;
      known.set(tone, colour);
      return colour;
    },
    destroy() {
      controller.abort();
      observer.disconnect();
      probe.remove();
    },
  };
}
