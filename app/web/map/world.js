// Everything the page knows of one model: points, names, and, for a small one, its whole matrix.

import { ApiError, get, getBytes } from "../api.js";
import { decode } from "./points.js";

/**
 * @typedef {object} Matrix
 * @property {number[][]} user_vectors
 * @property {number[][]} movie_vectors
 * @property {number[][]} products
 * @property {(number | null)[][]} observed
 * @property {boolean} ticks
 */

export class World {
  /** @param {any} meta @param {import("./points.js").Points} points @param {any} movies @param {any} users @param {Matrix | null} matrix */
  constructor(meta, points, movies, users, matrix) {
    this.meta = meta;
    this.points = points;
    this.matrix = matrix;
    /** @type {string[]} */ this.userIds = users.user_ids;
    /** @type {number[]} */ this.userCounts = users.n_ratings;
    /** @type {string[]} */ this.movieIds = movies.movie_ids;
    /** @type {string[]} */ this.titles = movies.titles;
    /** @type {(number | null)[]} */ this.years = movies.years;
    /** @type {string[]} */ this.genreNames = movies.genre_names;
    /** @type {number[]} */ this.genres = movies.genres;
    /** @type {number[]} */ this.movieCounts = movies.n_ratings;
    /** @type {boolean[]} */ this.available = movies.available;
    this.userRows = new Map(this.userIds.map((id, row) => [id, row]));
    this.movieRows = new Map(this.movieIds.map((id, row) => [id, row]));
  }

  get users() { return this.points.users; }
  get movies() { return this.points.movies; }
  get size() { return this.points.users + this.points.movies; }

  /** @param {number} point */
  isUser(point) { return point < this.points.users; }

  /** The row of a movie, from the number of its point. @param {number} point */
  movieRow(point) { return point - this.points.users; }

  /** @param {number} row */
  moviePoint(row) { return this.points.users + row; }

  /** What a point is called. @param {number} point */
  name(point) {
    return this.isUser(point) ? `user ${this.userIds[point]}` : this.titles[this.movieRow(point)];
  }

  /** The same with the year, for a movie that has one and does not carry it in its title. @param {number} point */
  fullName(point) {
    if (this.isUser(point)) return this.name(point);
    const year = this.years[this.movieRow(point)];
    return year === null ? this.name(point) : `${this.name(point)} (${year})`;
  }

  /** @param {number} row @returns {string[]} */
  genresOf(row) {
    return this.genreNames.filter((_, bit) => (this.genres[row] >>> bit) & 1);
  }

  /** The dot product of a user and a movie in this plane. @param {number} user @param {number} movie both points */
  dot(user, movie) {
    const { x, y } = this.points;
    return x[user] * x[movie] + y[user] * y[movie];
  }
}

/**
 * Loads a model; all its parts belong to one version, also when the server takes up a new one meanwhile.
 * @param {string} model
 * @param {string | null} projection
 * @param {AbortSignal} signal
 * @returns {Promise<World>}
 */
export async function load(model, projection, signal) {
  for (let attempt = 0; ; attempt += 1) {
    const meta = await get("/v1/map/meta", { model, projection }, signal);
    const query = { model, version: meta.version };
    try {
      const [bytes, movies, users, matrix] = await Promise.all([
        getBytes("/v1/map/points", { ...query, projection: meta.projection }, signal),
        get("/v1/map/movies", query, signal),
        get("/v1/map/user-ids", query, signal),
        meta.matrix ? get("/v1/map/matrix", query, signal) : null,
      ]);
      return new World(meta, decode(bytes.buffer), movies, users, matrix);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404 || attempt > 1) throw error;
    }
  }
}
