// The selection card: who or what is selected, and its list as the model has it beside where the plane puts it.

import { element } from "../dom.js";
import { fixed } from "./view.js";

/** @typedef {{onSelect: (point: number) => void, onHover: (point: number) => void}} Hooks */

/** @param {HTMLElement} room @param {import("./world.js").World} world @param {Hooks} hooks */
export function invite(room, world, hooks) {
  const small = world.size <= 60;
  room.replaceChildren(
    element("h2", {}, "Pick a point"),
    element("p", { class: "dim" }, `A user ● shows an arrow and what lies furthest along it; a movie ◆ shows its neighbours. ${
      small ? "Or point at a number in the matrix." : "Search for a title, or zoom in with the wheel."}`),
    ...(small ? [] : ends(world, hooks)));
}

const ENDS = 4;

/**
 * What lies at the ends of the axes, among the movies that are rated more than most: the quickest way to a meaning.
 * @param {import("./world.js").World} world @param {Hooks} hooks @returns {HTMLElement[]}
 */
function ends(world, hooks) {
  const counts = [...world.movieCounts].sort((a, b) => a - b);
  const enough = counts[Math.floor(counts.length / 2)];
  const rows = world.movieCounts.flatMap((count, row) => (count >= enough ? [row] : []));
  const side = (/** @type {string} */ name, /** @type {Float32Array} */ along, /** @type {number} */ sign) => {
    const far = [...rows].sort((a, b) => sign * (along[world.moviePoint(b)] - along[world.moviePoint(a)])).slice(0, ENDS);
    return [element("dt", {}, name), element("dd", {}, ...far.map((row) => chip(world, world.moviePoint(row), hooks)))];
  };
  const { x, y } = world.points;
  return [
    element("h3", {}, "At the ends of the axes"),
    element("dl", { class: "ends" }, ...side("right ▸", x, 1), ...side("◂ left", x, -1), ...side("top ▴", y, 1), ...side("bottom ▾", y, -1)),
  ];
}

/** @param {import("./world.js").World} world @param {number} point @param {Hooks} hooks */
function chip(world, point, hooks) {
  return element("button", {
    type: "button", class: "name", onclick: () => hooks.onSelect(point),
    onpointerenter: () => hooks.onHover(point), onpointerleave: () => hooks.onHover(-1),
  }, element("bdi", {}, world.name(point)));
}

/** @param {HTMLElement} room @param {import("./world.js").World} world @param {number} point @param {Hooks} hooks */
export function waiting(room, world, point, hooks) {
  room.replaceChildren(...heading(world, point, hooks), element("p", { class: "dim" }, element("span", { class: "spinner" }), " Asking the model …"));
}

/** @param {HTMLElement} room @param {import("./world.js").World} world @param {number} point @param {Hooks} hooks @param {string} words */
export function failed(room, world, point, hooks, words) {
  room.replaceChildren(...heading(world, point, hooks), element("p", { class: "note bad" }, words));
}

/**
 * @param {HTMLElement} room @param {import("./world.js").World} world @param {number} point
 * @param {import("./marks.js").Marks} marks @param {Hooks} hooks
 */
export function describe(room, world, point, marks, hooks) {
  const parts = heading(world, point, hooks, marks);
  if (marks.note) parts.push(element("p", { class: "note" }, marks.note));
  if (world.isUser(point)) parts.push(...ofUser(world, point, marks, hooks));
  else parts.push(...ofMovie(world, marks, hooks));
  room.replaceChildren(...parts);
}

/**
 * @param {import("./world.js").World} world @param {number} point @param {Hooks} hooks @param {import("./marks.js").Marks} [marks]
 * @returns {HTMLElement[]}
 */
function heading(world, point, hooks, marks) {
  const user = world.isUser(point);
  const row = world.movieRow(point);
  const count = user ? world.userCounts[point] : world.movieCounts[row];
  const shown = Math.round((100 * world.points.quality[point]) / 255);
  const words = user
    ? Object.values(marks?.attributes ?? {}).filter((value) => typeof value === "string").join(", ")
    : world.genresOf(row).join(" · ");
  const unit = world.matrix?.ticks ? "✓" : count === 1 ? "rating" : "ratings";
  return [
    element("div", { class: "top" },
      element("h2", {}, element("span", { class: user ? "user" : "movie", "aria-hidden": "true" }, user ? "● " : "◆ "),
        element("bdi", {}, world.fullName(point))),
      element("button", { class: "button small quiet", type: "button", onclick: () => hooks.onSelect(-1) }, "Let go")),
    element("p", { class: "dim small" }, words === "" ? null : element("bdi", {}, words), words === "" ? "" : " — ",
      `${count} ${unit} · shown here at ${shown} %`),
    ...(user && world.meta.model === "current" ? [element("p", { class: "small" }, element("a", { href: `/?${new URLSearchParams({ user: world.userIds[point] })}` }, "Recommendations"))] : []),
  ];
}

/**
 * @param {import("./world.js").World} world @param {number} user @param {import("./marks.js").Marks} marks @param {Hooks} hooks
 * @returns {HTMLElement[]}
 */
function ofUser(world, user, marks, hooks) {
  if (marks.plane.length === 0) {
    return [element("h3", {}, "All movies by score"),
      list(world, marks.truth, hooks, (row, at) => [fixed(marks.scores[at]), marks.rated.has(row) ? "✓" : ""], ["score", "ticked"])];
  }
  const placed = new Map(marks.plane.map((row, rank) => [row, rank + 1]));
  const shared = marks.truth.filter((row) => placed.has(row)).length;
  return [
    poorly(world, user),
    element("h3", {}, "Recommended by the model"),
    list(world, marks.truth, hooks, (row) => [`${placed.has(row) ? "◇ " : ""}${rankInPlane(world, user, row, marks)}`], ["rank in plane"]),
    element("p", { class: "small" }, `${shared} of these ${marks.truth.length} are among the ${marks.plane.length} that the plane would put first (◇). `,
      element("span", { class: "dim" }, "Small dots are movies that this user rated.")),
  ];
}

/** A plane that shows most users well can say next to nothing of one. @param {import("./world.js").World} world @param {number} point */
function poorly(world, point) {
  const shown = world.points.quality[point] / 255;
  return element("p", { class: "note", hidden: shown >= 0.25 },
    `These two axes show only ${Math.round(100 * shown)} % of what sets this user’s scores apart. The list is right; the arrow is a hint at most.`);
}

/** @param {import("./world.js").World} world @param {number} user @param {number} row @param {import("./marks.js").Marks} marks */
function rankInPlane(world, user, row, marks) {
  const own = world.dot(user, world.moviePoint(row));
  let rank = 1;
  for (let other = 0; other < world.movies; other += 1) {
    if (!marks.rated.has(other) && world.available[other] && world.dot(user, world.moviePoint(other)) > own) rank += 1;
  }
  return rank;
}

/** @param {import("./world.js").World} world @param {import("./marks.js").Marks} marks @param {Hooks} hooks @returns {HTMLElement[]} */
function ofMovie(world, marks, hooks) {
  if (marks.truth.length === 0) return [element("p", { class: "dim" }, "The model knows no neighbours of this movie.")];
  return [
    element("h3", {}, "Liked by the same people"),
    list(world, marks.truth, hooks, (_, at) => [fixed(marks.scores[at])], ["cosine"]),
    element("p", { class: "dim small" }, "The cosine of their vectors in all dimensions; the lines on the map lead to them."),
  ];
}

/**
 * @param {import("./world.js").World} world @param {number[]} rows @param {Hooks} hooks
 * @param {(row: number, at: number) => string[]} figures @param {string[]} heads
 */
function list(world, rows, hooks, figures, heads) {
  const line = (/** @type {number} */ row, /** @type {number} */ at) => {
    const point = world.moviePoint(row);
    return element("tr", { onpointerenter: () => hooks.onHover(point), onpointerleave: () => hooks.onHover(-1) },
      element("td", { class: "rank" }, String(at + 1)),
      element("td", {}, element("button", { class: "name", type: "button", onclick: () => hooks.onSelect(point), onfocus: () => hooks.onHover(point), onblur: () => hooks.onHover(-1) },
        element("bdi", {}, world.fullName(point)))),
      ...figures(row, at).map((figure) => element("td", { class: "figure" }, figure)));
  };
  return element("table", { class: "list" },
    element("thead", {}, element("tr", {}, element("th", {}), element("th", { scope: "col" }, "movie"),
      ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...rows.map(line)));
}
