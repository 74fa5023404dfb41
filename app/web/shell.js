// Header, footer and the announcer of every page. Importing this module fills <header class="house"> and
// <footer class="foot">; the page marks itself with <body data-page="home | map | docs"> (see style.css).
//
//   import { announce } from "/static/shell.js";
//   announce("12 films selected");             // spoken by screen readers, politely

import { get } from "./api.js";
import { element, svg } from "./dom.js";

const PAGES = [
  { page: "home", href: "/", name: "Home" },
  { page: "map", href: "/map", name: "Map" },
  { page: "docs", href: "/docs", name: "API docs" },
];

const live = element("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });

/**
 * Says something to screen readers without moving the focus.
 * @param {string} text
 */
export function announce(text) {
  live.textContent = "";
  // A changed text node is announced; the same text twice is not, hence the pause.
  setTimeout(() => (live.textContent = text), 30);
}

/** The mark: a lens, and a user and a film in the plane it lights (style.css draws the beam across the header). */
function mark() {
  return svg("svg", { viewBox: "0 0 34 32", "aria-hidden": "true" },
    svg("circle", { cx: 8, cy: 16, r: 6, fill: "#ffc861" }),
    svg("circle", { cx: 8, cy: 16, r: 2.4, fill: "#191210" }),
    svg("circle", { cx: 22, cy: 12, r: 2.8, fill: "#f6ecdc" }),
    svg("path", { d: "m28 16.4 3.2 3.2-3.2 3.2-3.2-3.2z", fill: "#ffc861" }));
}

function themeToggle() {
  const icon = svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" },
    svg("circle", { cx: 10, cy: 10, r: 7, fill: "none", stroke: "currentColor", "stroke-width": 1.6 }),
    svg("path", { d: "M10 3a7 7 0 0 1 0 14z", fill: "currentColor" }));
  const button = element("button", { class: "theme-toggle", type: "button" }, icon);
  const label = () => {
    const other = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    button.setAttribute("aria-label", `Switch to the ${other} theme`);
    button.title = `Switch to the ${other} theme`;
  };
  button.addEventListener("click", () => document.dispatchEvent(new CustomEvent("themetoggle")));
  document.addEventListener("themechange", label);
  label();
  return button;
}

function fillHeader() {
  const here = document.body.dataset.page;
  const links = PAGES.map(({ page, href, name }) =>
    element("a", { href, "aria-current": page === here && "page" }, name));
  document.querySelector("header.house")?.replaceChildren(
    element("a", { class: "wordmark", href: "/" }, mark(), "Projectionist"),
    element("nav", { "aria-label": "Pages" }, ...links),
    themeToggle());
  document.body.prepend(element("a", { class: "skip", href: "#main" }, "Skip to the content"));
}

async function fillFooter() {
  const foot = document.querySelector("footer.foot");
  if (foot === null) return;
  const notice = element("span", { class: "notice", hidden: true });
  const build = element("span", { class: "build" }, "Projectionist");
  foot.replaceChildren(notice, build);
  // Each part stands for itself: an answer that is missing leaves its words out.
  const [said, version] = await Promise.allSettled([get("/v1/datasets/notice"), get("/version")]);
  if (said.status === "fulfilled" && said.value.notice) {
    notice.textContent = said.value.notice;
    notice.hidden = false;
  }
  if (version.status === "fulfilled") {
    const { version: number, generation } = version.value;
    build.textContent = `Projectionist ${number}${generation ? ` · model generation ${generation}` : " · no model yet"}`;
  }
}

fillHeader();
document.body.append(live);
void fillFooter();
