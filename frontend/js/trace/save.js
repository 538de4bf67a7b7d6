// Hands the trace over as a file that other tools read.

/**
 * @param {object} options
 * @param {HTMLButtonElement} options.element
 * @param {() => Promise<unknown>} options.load
 * @param {string} options.name of the file
 * @param {(words: string) => void} options.onRefused
 */
export function createSave({ element, load, name, onRefused }) {
  const controller = new AbortController();

  async function save() {
    element.disabled = true;
    try {
      const text = JSON.stringify(await load());
      const url = URL.createObjectURL(
        new Blob([text], { type: "application/json" }),
      );
      const link = document.createElement("a");
      link.href = url;
      link.download = name;
      link.click();
      URL.revokeObjectURL(url);
    } catch (error) {
      const why = error instanceof Error ? error.message : "";
      onRefused(`The trace could not be saved. ${why}`);
    } finally {
      element.disabled = false;
    }
  }
  element.addEventListener("click", () => void save(), {
    signal: controller.signal,
  });
  return {
    element,
    /** There is something to save. */
    offer: () => void (element.hidden = false),
    destroy: () => controller.abort(),
  };
}
