// What belongs to a selection: the true list (from the model) and the plane's (from this picture), to be compared.

import { get, segment } from "../api.js";
import { best, cosine } from "./ranking.js";

const TOP = 10;
const PAGE = 500;
const MOST_RATINGS = 5000;

/**
 * @typedef {object} Marks
 * @property {number[]} truth rows of movies, best first: the model's list, or a movie's neighbours
 * @property {number[]} scores one for each of `truth`
 * @property {number[]} plane rows of movies, best first: the plane's list (for a user)
 * @property {Set<number>} rated rows of movies that the user rated, so that no list has them
 * @property {boolean} named whether the plane names them
 * @property {string} note what has to be said about them
 * @property {Record<string, unknown>} attributes of the user
 */

/** @returns {Marks} */
export function noMarks() {
  return { truth: [], scores: [], plane: [], rated: new Set(), named: false, note: "", attributes: {} };
}

/**
 * @param {import("./world.js").World} world
 * @param {number} point
 * @param {AbortSignal} signal
 * @returns {Promise<Marks>}
 */
export async function marksOf(world, point, signal) {
  if (world.meta.model === "course") return fromMatrix(world, point);
  return world.isUser(point) ? ofUser(world, point, signal) : ofMovie(world, point, signal);
}

/** The course has no trained model behind it: its lists come from the matrix, and hold every movie. @param {import("./world.js").World} world @param {number} point @returns {Marks} */
function fromMatrix(world, point) {
  const matrix = /** @type {import("./world.js").Matrix} */ (world.matrix);
  const row = world.isUser(point) ? point : world.movieRow(point);
  const score = world.isUser(point)
    ? (/** @type {number} */ other) => matrix.products[row][other]
    : (/** @type {number} */ other) => cosine(matrix.movie_vectors[row], matrix.movie_vectors[other]);
  const list = best(world.movies, TOP, score, (other) => world.isUser(point) || other !== row);
  const rated = world.isUser(point) ? matrix.observed[row].flatMap((value, other) => (value === null ? [] : [other])) : [];
  return { ...noMarks(), truth: list.map((one) => one.row), scores: list.map((one) => one.score), rated: new Set(rated) };
}

/** @param {import("./world.js").World} world @param {number} user @param {AbortSignal} signal @returns {Promise<Marks>} */
async function ofUser(world, user, signal) {
  const path = `/v1/users/${segment(world.userIds[user])}`;
  const [list, rated, profile] = await Promise.all([
    get(`${path}/recommendations`, { n: TOP }, signal), ratedBy(world, path, signal), get(path, {}, signal),
  ]);
  const known = list.movies.filter((/** @type {any} */ movie) => world.movieRows.has(movie.movie_id));
  const plane = best(world.movies, TOP, (row) => world.dot(user, world.moviePoint(row)), (row) => world.available[row] && !rated.has(row));
  const stale = list.model.generation !== world.meta.generation
    ? `This list comes from generation ${list.model.generation}; the picture shows generation ${world.meta.generation}.`
    : list.model.fresh_ratings > 0 ? "The list knows ratings that are newer than this picture." : "";
  return {
    ...noMarks(),
    truth: known.map((/** @type {any} */ movie) => world.movieRows.get(movie.movie_id)),
    scores: known.map((/** @type {any} */ movie) => movie.score),
    plane: plane.map((one) => one.row),
    rated,
    named: true,
    note: list.fallback === "popular" ? "Nothing is known of this user yet: these are popular movies." : stale,
    attributes: profile.attributes ?? {},
  };
}

/** @param {import("./world.js").World} world @param {string} path @param {AbortSignal} signal @returns {Promise<Set<number>>} */
async function ratedBy(world, path, signal) {
  /** @type {Set<number>} */ const rows = new Set();
  /** @type {string | null} */ let cursor = null;
  for (let read = 0; read < MOST_RATINGS; read += PAGE) {
    const page = await get(`${path}/ratings`, { limit: PAGE, cursor }, signal);
    for (const { movie_id: id } of page.ratings) {
      const row = world.movieRows.get(id);
      if (row !== undefined) rows.add(row);
    }
    cursor = page.next_cursor;
    if (cursor === null) break;
  }
  return rows;
}

/** @param {import("./world.js").World} world @param {number} point @param {AbortSignal} signal @returns {Promise<Marks>} */
async function ofMovie(world, point, signal) {
  const answer = await get(`/v1/movies/${segment(world.movieIds[world.movieRow(point)])}/similar`, { n: TOP }, signal);
  const known = answer.movies.filter((/** @type {any} */ movie) => world.movieRows.has(movie.movie_id));
  return {
    ...noMarks(),
    truth: known.map((/** @type {any} */ movie) => world.movieRows.get(movie.movie_id)),
    scores: known.map((/** @type {any} */ movie) => movie.score),
    named: true,
  };
}
