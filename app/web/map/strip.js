// The matrix strip: both sides of a small factorization around their product, each cell a pair of vectors.
//
//               V  the movies' vectors, upright
//   U  users'      the products, lit where positive, with a tick where the user ticked the movie

import { element } from "../dom.js";
import { fixed, written } from "./view.js";

/** A factor in a product: negative ones in brackets. @param {number} value */
function factor(value) {
  return value < 0 ? `(${written(value)})` : written(value);
}

/** `1·0.9 + 0.1·(−0.2) = 0.88` @param {number[]} user @param {number[]} movie @param {number} product */
export function spelled(user, movie, product) {
  const shown = user.slice(0, 4).map((value, i) => `${i === 0 ? written(value) : factor(value)}·${factor(movie[i])}`);
  const rest = user.length > 4 ? " + …" : "";
  return `${shown.join(" + ")}${rest} = ${written(product)}`;
}

/** @typedef {{onCell: (cell: {user: number, movie: number} | null) => void, onSelect: (point: number) => void}} Hooks points, not rows */

export class Strip {
  /** @param {HTMLElement} room @param {Hooks} hooks */
  constructor(room, hooks) {
    this.room = room;
    this.hooks = hooks;
    /** @type {import("./world.js").World | null} */ this.world = null;
    /** @type {HTMLElement[][]} */ this.cells = [];
    /** @type {[number, number]} the cell that the Tab key reaches */ this.here = [0, 0];
    this.line = element("p", { class: "spelled", "aria-live": "polite" });
  }

  /** @param {import("./world.js").World} world */
  show(world) {
    this.world = world;
    const { matrix } = world;
    this.room.hidden = matrix === null;
    if (matrix === null) return;
    this.here = [0, 0];
    const factors = matrix.movie_vectors[0].map((_, i) => i).slice(0, 4);
    const head = factors.map((f) => element("tr", {},
      element("td", { colspan: factors.length + 1, class: "corner" },
        f === factors.length - 1 ? "users ●" : f === 0 ? "movies ◆" : ""),
      ...matrix.movie_vectors.map((vector, movie) => element("td", { class: "v", "data-movie": movie }, written(vector[f])))));
    this.cells = matrix.products.map((row, user) => row.map((product, movie) => this.cell(matrix, product, user, movie)));
    const rows = this.cells.map((cells, user) => element("tr", {},
      element("th", { scope: "row", "data-user": user }, this.chooser(user)),
      ...factors.map((f) => element("td", { class: "u", "data-user": user }, written(matrix.user_vectors[user][f]))),
      ...cells));
    const table = element("table", { role: "grid", "aria-labelledby": "strip-title" },
      element("colgroup", {}, element("col", { class: "names" }), ...factors.map(() => element("col", { class: "factor" }))),
      element("thead", {},
        element("tr", {}, element("td", { colspan: factors.length + 1 }),
          ...world.titles.map((title, movie) => element("th", { scope: "col", "data-movie": movie }, this.chooser(world.moviePoint(movie), title)))),
        ...head),
      element("tbody", {}, ...rows));
    table.addEventListener("pointerleave", () => this.point(null));
    table.addEventListener("focusout", () => this.point(null));
    table.addEventListener("keydown", (event) => this.onKey(event));
    this.room.replaceChildren(
      element("h2", { id: "strip-title" }, "The matrices behind the picture"),
      this.line, element("div", { class: "scroll" }, table), this.lesson(matrix));
    this.cells[0][0].tabIndex = 0;
    this.mark(null, -1);
  }

  /** @param {import("./world.js").Matrix} matrix @param {number} product @param {number} user @param {number} movie */
  cell(matrix, product, user, movie) {
    const seen = matrix.observed[user][movie];
    const tick = seen === null ? "" : matrix.ticks ? "✓" : written(seen);
    const cell = element("td", {
      class: `product${product > 0 ? " lit" : ""}`, tabindex: "-1", "data-user": user, "data-movie": movie,
      onpointerenter: () => this.point({ user, movie }),
      onfocus: () => this.point({ user, movie }),
      onclick: () => this.hooks.onSelect(user),
    }, element("span", {}, fixed(product)), element("span", { class: "tick" }, tick));
    const most = Math.max(...matrix.products.flat().map(Math.abs), 1e-9);
    cell.style.setProperty("--light", String(Math.max(0, product / most)));
    return cell;
  }

  /** @param {number} point @param {string} [title] */
  chooser(point, title) {
    const name = title ?? this.world?.name(point) ?? "";
    return element("button", { type: "button", class: "name", onclick: () => this.hooks.onSelect(point) }, element("bdi", {}, name));
  }

  /** @param {import("./world.js").Matrix} matrix */
  lesson(matrix) {
    if (!matrix.ticks) return null;
    return element("details", { class: "lesson" },
      element("summary", {}, "What the ticks cannot tell"),
      element("p", {}, "The same users ticked Harry Potter and Shrek: their columns are equal. Whatever is learned from the ticks alone puts the two at one point. These vectors were written by hand, by someone who knew more than the table."),
      element("p", {}, "A blank that means “disliked” (−1) gives a matrix of rank 2, and two axes show it exactly. A blank that means “unknown” (0) gives rank 3: no plane can."));
  }

  /** From the pointer or the keyboard: rows. @param {{user: number, movie: number} | null} cell */
  point(cell) {
    const { world } = this;
    if (world === null) return;
    this.hooks.onCell(cell === null ? null : { user: cell.user, movie: world.moviePoint(cell.movie) });
  }

  /**
   * Lights up what the picture points at.
   * @param {{user: number, movie: number} | null} cell points @param {number} selected a point, or -1
   */
  mark(cell, selected) {
    const { world } = this;
    if (world === null || world.matrix === null) return;
    const user = cell !== null ? cell.user : selected >= 0 && world.isUser(selected) ? selected : -1;
    const movie = cell !== null ? world.movieRow(cell.movie) : selected >= 0 && !world.isUser(selected) ? world.movieRow(selected) : -1;
    for (const part of this.room.querySelectorAll("[data-user], [data-movie]")) {
      const { user: u, movie: m } = /** @type {HTMLElement} */ (part).dataset;
      const both = u !== undefined && m !== undefined;
      part.classList.toggle("here", both && Number(u) === user && Number(m) === movie);
      part.classList.toggle("row", u !== undefined && Number(u) === user && (!both || movie < 0));
      part.classList.toggle("column", m !== undefined && Number(m) === movie && (!both || user < 0));
    }
    this.spell(user, movie);
  }

  /** @param {number} user @param {number} movie rows, or -1 */
  spell(user, movie) {
    const { world } = this;
    if (world === null || world.matrix === null) return;
    if (user < 0 || movie < 0) {
      this.line.replaceChildren(element("span", { class: "dim" }, "Point at a number: a score is a user’s vector times a movie’s."));
      return;
    }
    const { user_vectors: users, movie_vectors: movies, products, observed, ticks } = world.matrix;
    const fact = !ticks ? "" : observed[user][movie] === null ? "no tick" : "✓ ticked";
    this.line.replaceChildren(
      element("span", { class: "who" }, element("span", { class: "user" }, `● ${world.name(user)}`), " · ",
        element("span", { class: "movie" }, "◆ ", element("bdi", {}, world.titles[movie]))),
      element("span", { class: "sum" }, spelled(users[user], movies[movie], products[user][movie])),
      element("span", { class: "fact" }, fact));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (event.key === "Enter" && event.target === this.cells[this.here[0]]?.[this.here[1]]) this.hooks.onSelect(this.here[0]);
    if (step === undefined) return;
    event.preventDefault();
    const user = Math.min(this.cells.length - 1, Math.max(0, this.here[0] + step[0]));
    const movie = Math.min(this.cells[0].length - 1, Math.max(0, this.here[1] + step[1]));
    this.cells[this.here[0]][this.here[1]].tabIndex = -1;
    this.here = [user, movie];
    this.cells[user][movie].tabIndex = 0;
    this.cells[user][movie].focus();
  }
}
