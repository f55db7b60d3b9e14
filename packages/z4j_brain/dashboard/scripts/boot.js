// Runs before first paint; inlined into index.html and allowed there by its hash.
(() => {
  const root = document.querySelector('meta[name="z4j-root"]').content.replace(/\/+$/, "");
  if (root) document.querySelector("base").href = `${root}/`;
  let theme = null;
  try {
    theme = localStorage.getItem("z4j.theme");
  } catch {
    // Storage may be denied; the system's theme is a good answer then.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme =
    theme === "dark" || theme === "light" ? theme : dark ? "dark" : "light";
})();
