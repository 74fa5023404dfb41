// The home page: whose list, the list itself, and what a rating changes in it.

import { ApiError, get, put, remove, segment } from "./api.js";
import { byId, element } from "./dom.js";
import { CardList } from "./home/cards.js";
import { ratingsPanel, searchPanel } from "./home/panels.js";
import { picker, ratingsInWords, tastesOf } from "./home/picker.js";
import "./shell.js";

/** @typedef {import("./home/poster.js").Film} Film */
/** @typedef {import("./home/panels.js").Rated} Rated */

const FIRST = 24;
const MOST = 96;
const RETRY_MS = 3000;

let userId = "";
/** @type {import("./home/picker.js").User | null} what is stored of the user; null for a visitor who is new */
let known = null;
let wanted = FIRST;
/** @type {Map<string, Rated>} what the user has rated, by movie */
let rated = new Map();
/** Writes go one after the other, so that the last thing done is the last thing stored. */
let writes = Promise.resolve();
let reading = new AbortController();
let retry = 0;

const cards = new CardList(byId("cards"));
const state = byId("state");
const change = byId("change");
const more = /** @type {HTMLButtonElement} */ (byId("more"));

const actions = {
  onRate: (/** @type {Film} */ film, /** @type {number} */ rating) => rate(film, rating),
  onRemove: (/** @type {Film} */ film) => rate(film, null),
  ratingOf: (/** @type {string} */ movieId) => rated.get(movieId)?.rating ?? null,
};
const ratings = ratingsPanel(byId("ratings"), actions);
const search = searchPanel(byId("search"), actions);
const user = picker(byId("picker"), (id) => go(id));

/** @param {ApiError} error @param {(() => void) | null} again */
function problem(error, again) {
  const waiting = error.status === 503;
  const note = element("div", { class: waiting ? "note" : "note bad", role: "alert" },
    element("b", {}, waiting ? `The house is still dark: ${error.title}` : error.title),
    error.detail && element("p", {}, error.detail));
  for (const { field, message } of error.problem.errors ?? []) note.append(element("p", { class: "small" }, `${field}: ${message}`));
  if (again !== null) {
    note.append(element("p", {}, element("button", { class: "button small", type: "button", onclick: again }, "Try again")));
    if (waiting) note.append(element("p", { class: "dim small" }, "This page tries again by itself."));
  }
  return note;
}

/** @param {any} answer */
function showModel(answer) {
  const { generation, trained_at: trainedAt, fresh_ratings: fresh } = answer.model ?? {};
  const words = [];
  if (generation !== undefined) words.push(`Model generation ${generation}`);
  if (trainedAt) words.push(`trained ${new Date(trainedAt).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}`);
  if (fresh !== undefined && userId !== "") words.push(`${ratingsInWords(fresh).replace("rating", "fresh rating")} since then`);
  if (typeof answer.matched === "number") words.push(`chosen from ${answer.matched.toLocaleString("en")} films`);
  byId("model").textContent = words.join(" · ");
  showMapLink(fresh ?? 0);
}

/**
 * The map shows whom the model was trained on: somebody with nothing but fresh ratings is not on it yet.
 * @param {number} fresh how many of the user's ratings are newer than the model
 */
function showMapLink(fresh) {
  const link = byId("on-map");
  link.hidden = userId === "" || rated.size <= fresh;
  link.setAttribute("href", `/map?${new URLSearchParams({ model: "current", u: userId })}`);
}

/**
 * Fetches the list and shows it. Returns the number of films that are new in it (0 when a later call overtook this
 * one), or null if it could not be shown.
 * @param {boolean} animate
 * @param {Promise<void>} [ratingsKnown] the reasons of a list speak of the user's ratings
 * @returns {Promise<number | null>}
 */
async function refresh(animate, ratingsKnown) {
  reading.abort();
  reading = new AbortController();
  clearTimeout(retry);
  const { signal } = reading;
  const busy = setTimeout(() => {
    if (cards.ids.length === 0) state.replaceChildren(element("p", { class: "dim" }, element("span", { class: "spinner" }), " Winding the reel …"));
  }, 150);
  try {
    const answer = userId === ""
      ? await get("/v1/movies/popular", { n: wanted }, signal)
      : await get(`/v1/users/${segment(userId)}/recommendations`, { n: wanted, explain: true }, signal);
    await ratingsKnown;
    if (signal.aborted) return 0;
    const fresh = cards.show(answer.movies, { onRate: userId === "" ? null : actions.onRate, ratingOf: actions.ratingOf, animate });
    state.replaceChildren(...banner(answer));
    showModel(answer);
    more.hidden = answer.movies.length < wanted || wanted >= MOST;
    return fresh;
  } catch (error) {
    if (!(error instanceof ApiError)) return 0; // aborted: another list is on its way
    more.hidden = true;
    state.replaceChildren(problem(error, () => void refresh(animate)));
    if (error.status === 503) retry = setTimeout(() => void refresh(animate), RETRY_MS);
    return null;
  } finally {
    clearTimeout(busy);
  }
}

/** @param {any} answer @returns {HTMLElement[]} */
function banner(answer) {
  if (answer.movies.length === 0) {
    return [element("p", { class: "note" }, userId === "" ? "The catalogue is empty. Import a data set first." : "Every film in the catalogue is rated: nothing is left to recommend.")];
  }
  if (userId === "") return [element("p", { class: "note" }, "These are the most popular films. Choose somebody above to see their own list, or start as a new visitor and rate.")];
  if (answer.fallback === "popular") {
    return [element("p", { class: "note", id: "fallback" }, element("b", {}, "Popular films. "), "Nothing is known of this visitor yet: rate one film and the list becomes theirs.")];
  }
  return [];
}

/** Reads all ratings of the user. @returns {Promise<void>} */
async function readRatings() {
  const mine = userId;
  /** @type {Rated[]} */
  const all = [];
  let cursor = null;
  try {
    do {
      const page = await get(`/v1/users/${segment(mine)}/ratings`, { limit: 500, cursor });
      all.push(...page.ratings);
      cursor = page.next_cursor;
    } while (cursor && all.length < 5000);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error; // 404: a visitor nobody knows yet
  }
  if (mine !== userId) return;
  rated = new Map(all.map((one) => [one.movie_id, { ...one, title: one.title ?? one.movie_id }]));
}

/** Shows what the user has rated, newest first. @param {boolean} fromStart */
function showRatings(fromStart) {
  ratings.show([...rated.values()].sort((a, b) => b.rated_at.localeCompare(a.rated_at) || b.version - a.version), fromStart);
}

/** What is stored of the user: null for a visitor who is new. @returns {Promise<import("./home/picker.js").User | null>} */
async function findUser() {
  const mine = userId;
  // A search, because asking for a new visitor by their own address would leave an error in every log.
  const { users } = await get("/v1/users", { q: mine, limit: 1 });
  return users.find((/** @type {{user_id: string}} */ one) => one.user_id === mine) ?? null;
}

function showWho() {
  const isNew = known === null && rated.size === 0;
  byId("who").textContent = isNew ? "a new visitor" : [known && tastesOf(known), ratingsInWords(rated.size)].filter(Boolean).join(" · ");
}

/** Reads who the user is and what they have rated; errors are left to the list, which meets them too. */
async function readUser() {
  const mine = userId;
  try {
    const found = await findUser();
    if (found !== null && mine === userId) await readRatings();
    if (mine !== userId) return;
    known = found;
    showRatings(true);
    showWho();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

/** A few people with different tastes to start from. @param {HTMLElement} who */
async function suggestions(who) {
  try {
    const { users } = await get("/v1/users", { limit: 100 });
    /** @type {Map<string, any>} */
    const byTaste = new Map();
    for (const one of users) {
      const taste = tastesOf(one).split(/[;,]/)[0];
      if (!byTaste.has(taste)) byTaste.set(taste, one);
    }
    if (userId !== "" || users.length === 0) return;
    // Where nothing is known of anybody, the first ids say as much as any.
    const some = byTaste.size === 1 && byTaste.has("") ? users.slice(0, 3) : [...byTaste.values()].slice(0, 7);
    who.append(element("span", {}, "For example: "), ...some.map((one) => {
      const taste = tastesOf(one).split(";")[0];
      return element("button", { class: "chip", type: "button", "data-user": one.user_id, onclick: () => go(one.user_id) },
        element("bdi", {}, taste === "" ? one.user_id : `${taste} (${one.user_id})`));
    }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // the list beside it says what is wrong
  }
}

/** Stores or removes (null) a rating, then shows the list it leads to. @param {Film} film @param {number | null} rating */
function rate(film, rating, /** @type {Rated | null} */ restored = null, undoing = false) {
  const mine = userId;
  writes = writes.catch(() => undefined).then(async () => {
    const before = rated.get(film.movie_id) ?? null;
    const started = performance.now();
    const path = `/v1/users/${segment(mine)}/ratings/${segment(film.movie_id)}`;
    try {
      const stored = await (rating === null ? remove(path) : put(path, restored ? { rating, rated_at: restored.rated_at } : { rating }));
      if (mine !== userId) return;
      if (rating === null) rated.delete(film.movie_id);
      else rated.set(film.movie_id, { ...film, rating, rated_at: stored.rated_at, version: stored.version });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      change.replaceChildren(problem(error, () => rate(film, rating, restored, undoing)));
      return;
    }
    const arrived = await refresh(true);
    const spent = performance.now() - started;
    if (mine !== userId) return;
    showRatings(false);
    showWho();
    search.redraw();
    say(film, rating, arrived, spent, undoing ? null : () => rate(film, before?.rating ?? null, before, true));
  });
}

/**
 * @param {Film} film @param {number | null} rating @param {number | null} arrived @param {number} spent ms
 * @param {(() => void) | null} undo
 */
function say(film, rating, arrived, spent, undo) {
  const done = rating === null ? " is unrated again" : ` ${rating.toFixed(1)}`;
  const words = element("p", {}, rating === null ? "" : "Rated ", element("bdi", {}, film.title), `${done}; `);
  if (arrived === null) words.append("stored, but the list could not be updated.");
  else words.append(`list updated in ${Math.max(1, Math.round(spent))} ms; ${arrived === 1 ? "1 new film" : `${arrived} new films`}.`);
  change.replaceChildren(words);
  if (undo !== null) change.append(element("button", { class: "button small", type: "button", id: "undo", onclick: undo }, "Undo"));
}

/** @param {string} id */
function go(id) {
  if (id === userId) return;
  history.pushState(null, "", `/?user=${encodeURIComponent(id)}`);
  void open();
}

/** Shows the page for the user in the address. */
async function open() {
  userId = new URLSearchParams(location.search).get("user") ?? "";
  document.title = userId === "" ? "Projectionist" : `${userId} · Projectionist`;
  user.show(userId);
  for (const id of ["search", "ratings", "hint"]) byId(id).hidden = userId === "";
  wanted = FIRST;
  known = null;
  rated = new Map();
  cards.clear();
  change.replaceChildren();
  state.replaceChildren();
  byId("model").textContent = "";
  byId("on-map").hidden = true;
  search.clear();
  ratings.show([], true);
  byId("who").textContent = "";
  await (userId === "" ? Promise.all([refresh(false), suggestions(byId("who"))]) : refresh(false, readUser()));
}

byId("newcomer").addEventListener("click", () => {
  const letters = crypto.getRandomValues(new Uint8Array(4));
  go(`visitor-${[...letters].map((letter) => "bcdfghjkmnpqrstvwxz23456789"[letter % 27]).join("")}`);
});
more.addEventListener("click", () => {
  wanted = Math.min(MOST, wanted + FIRST);
  void refresh(false);
});
addEventListener("popstate", () => void open());
void open();
