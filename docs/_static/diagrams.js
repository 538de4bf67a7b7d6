// Draws the diagrams of a page with Mermaid; without it they stay readable as text.
(() => {
  if (!("mermaid" in window)) return;
  const dark =
    document.body.dataset["theme"] === "dark" ||
    (document.body.dataset["theme"] !== "light" &&
      matchMedia("(prefers-color-scheme: dark)").matches);
  window.mermaid.initialize({
    startOnLoad: true,
    theme: dark ? "dark" : "neutral",
    securityLevel: "strict",
    // Wide ones are scrolled, not shrunk until nobody can read them.
    flowchart: { useMaxWidth: false },
  });
})();
