// The map page: users and movies in one plane, with what it takes to read it. The parts are in map/.

import { ApiError } from "./api.js";
import { byId, element } from "./dom.js";
import * as card from "./map/card.js";
import { readLink, writeLink } from "./map/link.js";
import { marksOf, noMarks } from "./map/marks.js";
import { Plane } from "./map/plane.js";
import { showLegend, showReading } from "./map/reading.js";
import { search } from "./map/search.js";
import { Strip } from "./map/strip.js";
import { load } from "./map/world.js";
import { announce } from "./shell.js";

const asked = readLink();
const state = { model: asked.model, projection: asked.projection, colour: asked.colour };
/** @type {import("./map/world.js").World | null} */ let world = null;
let loading = new AbortController();
let selecting = new AbortController();

const projection = /** @type {HTMLSelectElement} */ (byId("projection"));
const colour = /** @type {HTMLSelectElement} */ (byId("colour"));
const room = byId("card");
const hooks = { onSelect: select, onHover: (/** @type {number} */ point) => plane.hover(point) };
const plane = new Plane(/** @type {HTMLCanvasElement} */ (byId("base")), /** @type {HTMLCanvasElement} */ (byId("plane")), {
  onHover: hovered,
  onSelect: select,
  onView: remember,
});
const strip = new Strip(byId("strip"), { onCell: atCell, onSelect: select });

search(byId("search"), () => world, (point) => {
  plane.reveal(point);
  select(point);
});
byId("zoom-in").addEventListener("click", () => plane.zoom(1.4));
byId("zoom-out").addEventListener("click", () => plane.zoom(1 / 1.4));
byId("zoom-fit").addEventListener("click", () => {
  plane.fit();
});
projection.addEventListener("change", () => void open(state.model, projection.value, selection()));
colour.addEventListener("change", () => {
  plane.genre = null;
  setColour(colour.value);
});
for (const input of radios()) {
  input.addEventListener("change", () => void open(input.value, null, input.value === "course" ? { user: "1", movie: null } : null));
}
document.addEventListener("themechange", () => world && setColour(state.colour));

/** @returns {HTMLInputElement[]} */
function radios() {
  return [...document.querySelectorAll("input[name=model]")].map((input) => /** @type {HTMLInputElement} */ (input));
}

/**
 * @typedef {{user: string | null, movie: string | null}} Selection by id, so that it outlives a change of the picture
 * @returns {Selection}
 */
function selection() {
  if (world === null || plane.selected < 0) return { user: null, movie: null };
  return world.isUser(plane.selected)
    ? { user: world.userIds[plane.selected], movie: null }
    : { user: null, movie: world.movieIds[world.movieRow(plane.selected)] };
}

/**
 * Loads and shows a model. A failure leaves what is on the screen and says what happened.
 * @param {string} model @param {string | null} wanted the projection @param {Selection | null} then
 * @param {{x: number, y: number, zoom: number} | null} [view]
 */
async function open(model, wanted, then, view = null) {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  document.body.setAttribute("aria-busy", "true");
  try {
    const next = await load(model, wanted, signal);
    world = next;
    Object.assign(state, { model, projection: wanted });
    show(next, view);
    await choose(next, then);
  } catch (error) {
    if (!signal.aborted) complain(model, error);
  } finally {
    if (!signal.aborted) document.body.removeAttribute("aria-busy");
  }
}

/** @param {import("./map/world.js").World} next @param {{x: number, y: number, zoom: number} | null} view */
function show(next, view) {
  const { meta } = next;
  say("");
  byId("main").dataset.model = meta.model;
  for (const input of radios()) input.checked = input.value === meta.model;
  for (const option of projection.options) option.disabled = !meta.projections.includes(option.value);
  projection.value = meta.projection;
  byId("headline").textContent = meta.model === "course"
    ? "Four users and five movies in one plane"
    : `${meta.users.toLocaleString("en")} users and ${meta.movies.toLocaleString("en")} movies in one plane`;
  strip.show(next);
  plane.show(next);
  if (view !== null) plane.lookAt(view);
  setColour(state.colour);
  showReading(byId("reading"), byId("fidelity"), meta);
  plane.top.setAttribute("aria-label", `Map of ${meta.users} users and ${meta.movies} movies`);
  card.invite(room, next, hooks);
}

/** Selects what a link or the picture before had selected. @param {import("./map/world.js").World} next @param {Selection | null} then */
async function choose(next, then) {
  const user = then?.user ?? null;
  const movie = then?.movie ?? null;
  const row = user !== null ? next.userRows.get(user) : movie !== null ? next.movieRows.get(movie) : undefined;
  if (row !== undefined) {
    await select(user !== null ? row : next.moviePoint(row));
  } else {
    remember();
    if (user !== null) say(`User ${user} is not in this model.`);
    else if (movie !== null) say(`Movie ${movie} is not in this model.`);
  }
}

/** @param {number} point what to select; -1 lets go */
async function select(point) {
  if (world === null) return;
  const now = world;
  selecting.abort();
  selecting = new AbortController();
  const { signal } = selecting;
  plane.selected = point;
  plane.marks = noMarks();
  plane.redraw();
  strip.mark(null, point);
  remember();
  if (point < 0) {
    card.invite(room, now, hooks);
    return;
  }
  card.waiting(room, now, point, hooks);
  try {
    const marks = await marksOf(now, point, signal);
    if (signal.aborted) return;
    plane.marks = marks;
    plane.redraw();
    card.describe(room, now, point, marks, hooks);
    announce(`${now.fullName(point)} selected. ${summary(now, point, marks)}`);
  } catch (error) {
    if (!signal.aborted) card.failed(room, now, point, hooks, words(error));
  }
}

/** @param {import("./map/world.js").World} now @param {number} point @param {import("./map/marks.js").Marks} marks */
function summary(now, point, marks) {
  if (marks.truth.length === 0) return "";
  const first = marks.truth.slice(0, 3).map((row) => now.titles[row]).join(", ");
  return `${now.isUser(point) ? "Best" : "Nearest"}: ${first}.`;
}

/** @param {number} point */
function hovered(point) {
  if (world === null) return;
  const user = plane.selected >= 0 && world.isUser(plane.selected) ? plane.selected : -1;
  const movie = point >= 0 && !world.isUser(point) ? point : -1;
  strip.mark(user >= 0 && movie >= 0 ? { user, movie } : null, point >= 0 ? point : plane.selected);
  if (point >= 0 && document.activeElement === plane.top) announce(world.fullName(point));
}

/** @param {{user: number, movie: number} | null} cell */
function atCell(cell) {
  plane.cell = cell;
  plane.redraw(false);
  strip.mark(cell, plane.selected);
}

/** @param {string} value */
function setColour(value) {
  state.colour = plane.colour = colour.value = value;
  if (world !== null) {
    showLegend(byId("legend"), world, value, plane.genre, plane.palette.genres, (genre) => {
      plane.genre = genre;
      setColour(value);
    });
  }
  plane.redraw();
  remember();
}

function remember() {
  if (world === null) return;
  writeLink({
    model: state.model, projection: state.projection, colour: state.colour, ...selection(),
    view: plane.whole ? null : plane.view.state,
  });
}

/** @param {unknown} error */
function words(error) {
  if (error instanceof ApiError) return error.message;
  console.warn(error);
  return "This page could not read what the server sent. Reload it: perhaps the server is newer than the page.";
}

/** @param {string} model @param {unknown} error */
function complain(model, error) {
  const none = error instanceof ApiError && error.status === 503;
  for (const input of radios()) input.checked = input.value === (world?.meta.model ?? "");
  if (world !== null) projection.value = world.meta.projection;
  if (world === null && model !== "course") {
    void open("course", null, { user: "1", movie: null }).then(() => say(words(error), none));
  } else say(words(error), none);
}

/** @param {string} text @param {boolean} [noModel] */
function say(text, noModel = false) {
  const help = noModel ? " The course example needs none." : "";
  byId("message").replaceChildren(...(text === "" ? [] : [element("p", { class: "note" }, text + help)]));
}

const first = asked.plain ? { user: "1", movie: null } : { user: asked.user, movie: asked.movie };
void open(asked.model, asked.projection, first, asked.view).then(() => {
  // Said last, and of the model alone: whom the link selects was meant for a model that is not here.
  if (asked.unknownModel !== null && world !== null) say(`There is no model ${asked.unknownModel}: this is the course example.`);
  // The first cell of the lecture stands there spelled out until someone points elsewhere.
  if (asked.plain && world?.meta.model === "course" && plane.hovered < 0) strip.mark({ user: 0, movie: world.moviePoint(0) }, plane.selected);
});
