// Rankings made in the page: by the plane's dot products, and, where the whole matrix is here, by the true ones.

/** @typedef {{row: number, score: number}} Ranked a movie's row with its score */

/**
 * The best n movies by a score, best first; equal scores stand in the order of the rows.
 * @param {number} movies how many there are
 * @param {number} n
 * @param {(row: number) => number} score
 * @param {(row: number) => boolean} allowed
 * @returns {Ranked[]}
 */
export function best(movies, n, score, allowed) {
  /** @type {Ranked[]} */ const list = [];
  for (let row = 0; row < movies; row += 1) {
    if (!allowed(row)) continue;
    const value = score(row);
    if (list.length === n && value <= list[n - 1].score) continue;
    let at = list.length;
    while (at > 0 && list[at - 1].score < value) at -= 1;
    list.splice(at, 0, { row, score: value });
    if (list.length > n) list.pop();
  }
  return list;
}

/** The cosine of two vectors; 0 when one has no length. @param {number[]} a @param {number[]} b */
export function cosine(a, b) {
  const dot = a.reduce((sum, value, i) => sum + value * b[i], 0);
  const length = Math.hypot(...a) * Math.hypot(...b);
  return length > 0 ? dot / length : 0;
}
