// Sets the theme before the first paint: a classic script in <head>, because a module would run too late.
// The document element always carries data-theme="light" or "dark"; without a stored choice it follows the system.
"use strict";
(() => {
  const KEY = "projectionist-theme";
  const system = matchMedia("(prefers-color-scheme: dark)");

  /** @returns {string | null} */
  function stored() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage may be switched off: the theme then follows the system
    }
  }

  function apply() {
    const wanted = stored() ?? (system.matches ? "dark" : "light");
    const root = document.documentElement;
    if (root.dataset.theme === wanted) return;
    root.dataset.theme = wanted;
    document.dispatchEvent(new CustomEvent("themechange", { detail: wanted }));
  }

  // The header's button (shell.js) asks for the other theme; asking for the system's own ends the stored choice.
  document.addEventListener("themetoggle", () => {
    const wanted = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      if ((wanted === "dark") === system.matches) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, wanted);
    } catch {
      document.documentElement.dataset.theme = wanted;
      document.dispatchEvent(new CustomEvent("themechange", { detail: wanted }));
      return;
    }
    apply();
  });
  system.addEventListener("change", apply);
  addEventListener("storage", (event) => event.key === KEY && apply());
  apply();
})();
