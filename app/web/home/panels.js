// Beside the list: what the user has rated, and a search to rate any film.

import { ApiError, get } from "../api.js";
import { element } from "../dom.js";
import { stars } from "./stars.js";

/** @typedef {import("./poster.js").Film} Film */
/** @typedef {Film & {rating: number, rated_at: string, version: number}} Rated */
/**
 * @typedef {{onRate: (film: Film, rating: number) => void, onRemove: (film: Film) => void,
 *            ratingOf: (movieId: string) => number | null}} Actions
 */

const PAGE = 8;

/** @param {Film} film @param {Actions} actions @returns {HTMLElement} */
function row(film, actions) {
  const words = element("div", { class: "row-film" },
    element("span", { class: "row-title", dir: "auto", title: film.title }, film.title), " ",
    element("span", { class: "dim small" }, film.year === null || film.year === undefined ? "" : String(film.year)));
  const control = stars({
    title: film.title,
    value: actions.ratingOf(film.movie_id),
    onRate: (rating) => actions.onRate(film, rating),
    onRemove: () => actions.onRemove(film),
  });
  return element("li", { class: "row", "data-movie": film.movie_id }, words, control);
}

/**
 * Replaces rows and gives the focus back to the film that had it, or to its place.
 * @param {HTMLElement} list @param {HTMLElement[]} rows
 */
function replaceRows(list, rows) {
  const old = [...list.children];
  const index = old.findIndex((item) => item.contains(document.activeElement));
  const id = index < 0 ? undefined : /** @type {HTMLElement} */ (old[index]).dataset.movie;
  list.replaceChildren(...rows);
  if (index < 0) return;
  const heir = rows.find((item) => item.dataset.movie === id) ?? rows[Math.min(index, rows.length - 1)];
  /** @type {HTMLElement | null | undefined} */ (heir?.querySelector("[tabindex]"))?.focus({ preventScroll: true });
}

/**
 * @param {HTMLElement} place
 * @param {Actions} actions
 */
export function ratingsPanel(place, actions) {
  const title = element("h2", { id: "ratings-title" }, "Ratings");
  const list = element("ol", { class: "rows", role: "list" });
  const more = element("button", { class: "button small", type: "button", hidden: true }, "Show more");
  const none = element("p", { class: "dim" });
  place.append(title, none, list, more);
  /** @type {Rated[]} */
  let ratings = [];
  let shown = PAGE;

  const draw = () => {
    title.textContent = ratings.length > 0 ? `Ratings (${ratings.length})` : "Ratings";
    none.textContent = ratings.length > 0 ? "" : "Nothing rated yet. The first rating makes the list personal.";
    none.hidden = ratings.length > 0;
    replaceRows(list, ratings.slice(0, shown).map((rated) => row(rated, actions)));
    more.hidden = ratings.length <= shown;
  };
  more.addEventListener("click", () => {
    const next = shown;
    shown += 4 * PAGE;
    draw();
    /** @type {HTMLElement | null} */ (list.children[next]?.querySelector("[tabindex]"))?.focus();
  });
  return {
    /** @param {Rated[]} now newest first @param {boolean} fromStart */
    show(now, fromStart) {
      ratings = now;
      if (fromStart) shown = PAGE;
      draw();
    },
  };
}

/**
 * @param {HTMLElement} place
 * @param {Actions} actions
 */
export function searchPanel(place, actions) {
  const field = element("input", {
    class: "field", type: "search", id: "film-search", autocomplete: "off", spellcheck: "false", placeholder: "part of a title", maxlength: 200,
  });
  const status = element("p", { class: "dim small", role: "status" });
  const list = element("ol", { class: "rows", role: "list" });
  place.append(element("h2", { id: "search-title" }, element("label", { for: "film-search" }, "Rate any film")), field, status, list);
  /** @type {Film[]} */
  let found = [];
  let asked = new AbortController();
  let timer = 0;

  const draw = () => replaceRows(list, found.map((film) => row(film, actions)));
  const search = async () => {
    asked.abort();
    asked = new AbortController();
    const q = field.value.trim();
    if (q === "") {
      found = [];
      status.textContent = "";
      draw();
      return;
    }
    try {
      const page = await get("/v1/movies", { q, limit: 8 }, asked.signal);
      found = page.movies;
      const count = page.next_cursor ? "the first 8" : String(found.length);
      status.textContent = found.length === 0 ? "No film with these words in its title." : `Found ${count}.`;
    } catch (error) {
      if (!(error instanceof ApiError)) return; // aborted by the next key
      found = [];
      status.textContent = `${error.title}. ${error.detail}`;
    }
    draw();
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void search(), 150);
  });
  return {
    redraw: draw,
    clear() {
      field.value = "";
      void search();
    },
  };
}
