// Runs before the first paint (a classic script in <head>), so that a chosen theme never flashes, and
// nothing is shown in a frame: whoever frames a page could lay their own over its buttons. A page's
// own policy cannot forbid frames (browsers ignore frame-ancestors in <meta>). Only embed.html, which
// has no button that changes anything, is made for frames; it goes without this script.
(() => {
  if (window.top !== window.self) document.documentElement.hidden = true;
  try {
    const theme = localStorage.getItem("millrace.theme");
    if (theme === "light" || theme === "dark")
      document.documentElement.dataset["theme"] = theme;
  } catch {
    // Storage may be forbidden; the system's preference holds then.
  }
})();
