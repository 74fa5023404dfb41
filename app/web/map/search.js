// One field for users and movies: type a title or an id, take one with arrows and Enter, or with the pointer.

import { element } from "../dom.js";

const MOST = 8;

/** Lower case, without accents. @param {string} text */
export function folded(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** @type {WeakMap<import("./world.js").World, string[]>} folded once for each world, not at every letter */
const foldedTitles = new WeakMap();

/** @param {import("./world.js").World} world */
function titlesOf(world) {
  let titles = foldedTitles.get(world);
  if (titles === undefined) foldedTitles.set(world, (titles = world.titles.map(folded)));
  return titles;
}

/**
 * Points that match, the best first: titles that begin with it, then popular ones that hold it; users by their id.
 * @param {import("./world.js").World} world @param {string} query
 * @returns {number[]}
 */
export function find(world, query) {
  const wanted = folded(query.trim());
  if (wanted === "") return [];
  const id = wanted.replace(/^user\s*/, "");
  /** @type {number[]} */ const users = [];
  const exact = world.userRows.get(id);
  if (exact !== undefined) users.push(exact);
  for (let row = 0; row < world.users && users.length < 3; row += 1) {
    if (row !== exact && id !== "" && world.userIds[row].toLowerCase().startsWith(id)) users.push(row);
  }
  if (id === "") for (let row = 0; row < Math.min(4, world.users); row += 1) users.push(row);
  const movies = titlesOf(world)
    .flatMap((title, row) => (title.includes(wanted) ? [{ row, word: ` ${title}`.includes(` ${wanted}`) }] : []))
    .sort((a, b) => Number(b.word) - Number(a.word) || world.movieCounts[b.row] - world.movieCounts[a.row])
    .map(({ row }) => world.moviePoint(row));
  const few = movies.slice(0, users.length > 0 ? MOST - 3 : MOST);
  return /^(user\b|\d)/.test(wanted) ? [...users, ...few].slice(0, MOST) : [...few, ...users].slice(0, MOST);
}

/**
 * @param {HTMLElement} room
 * @param {() => import("./world.js").World | null} world
 * @param {(point: number) => void} onTake
 */
export function search(room, world, onTake) {
  /** @type {number[]} */ let found = [];
  let active = 0;
  const field = element("input", {
    class: "field", type: "search", id: "find", placeholder: "Find a movie or a user", role: "combobox", autocomplete: "off",
    "aria-label": "Find a movie or a user", "aria-expanded": "false", "aria-controls": "found", "aria-autocomplete": "list",
  });
  const options = element("ul", { id: "found", role: "listbox", "aria-label": "Found", class: "found", hidden: true });

  const close = () => {
    options.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const take = (/** @type {number} */ point) => {
    close();
    field.value = "";
    onTake(point);
  };
  const light = () => {
    [...options.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
    field.setAttribute("aria-activedescendant", `found-${active}`);
  };
  const show = () => {
    const now = world();
    if (now === null || field.value.trim() === "") return close();
    found = find(now, field.value);
    active = 0;
    options.replaceChildren(...found.map((point, at) => element("li", {
      role: "option", id: `found-${at}`,
      onpointerdown: (/** @type {Event} */ event) => event.preventDefault(), // the field keeps the focus
      onclick: () => take(point),
    }, element("span", { class: now.isUser(point) ? "user" : "movie", "aria-hidden": "true" }, now.isUser(point) ? "● " : "◆ "),
    element("bdi", {}, now.fullName(point)))));
    if (found.length === 0) options.replaceChildren(element("li", { class: "dim", role: "option", "aria-disabled": "true" }, "Nothing of that name here."));
    options.hidden = false;
    field.setAttribute("aria-expanded", "true");
    if (found.length > 0) light();
  };

  field.addEventListener("input", show);
  field.addEventListener("focus", show);
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && !options.hidden && found.length > 0) take(found[active]);
    else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && found.length > 0) {
      if (options.hidden) return show();
      active = (active + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      light();
    } else return;
    event.preventDefault();
  });
  room.replaceChildren(field, options);
}
