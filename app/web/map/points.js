// The points of a map, as /v1/map/points sends them (the layout stands in app/mapping/points.py).

/**
 * @typedef {object} Points
 * @property {number} users how many points are users; they come first
 * @property {number} movies
 * @property {[number, number, number, number]} bbox left, bottom, right, top
 * @property {Float32Array} x
 * @property {Float32Array} y
 * @property {Uint8Array} quality 255: shown exactly
 * @property {Uint16Array} logPopularity
 * @property {Uint32Array} genres one a movie
 */

/**
 * Views on the buffer: nothing is copied or parsed but the short header.
 * @param {ArrayBuffer} buffer
 * @returns {Points}
 */
export function decode(buffer) {
  const head = new DataView(buffer);
  const magic = String.fromCharCode(...new Uint8Array(buffer, 0, 4));
  if (magic !== "MFMP" || head.getUint16(4, true) !== 1) throw new Error("The server sent no points that this page can read.");
  const users = head.getUint32(8, true);
  const movies = head.getUint32(12, true);
  const size = head.getUint32(32, true);
  const start = 36 + size;
  const { offsets } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 36, size)));
  const n = users + movies;
  return {
    users,
    movies,
    bbox: [16, 20, 24, 28].map((at) => head.getFloat32(at, true)),
    x: new Float32Array(buffer, start + offsets.x, n),
    y: new Float32Array(buffer, start + offsets.y, n),
    quality: new Uint8Array(buffer, start + offsets.quality, n),
    logPopularity: new Uint16Array(buffer, start + offsets.log_popularity, n),
    genres: new Uint32Array(buffer, start + offsets.genres, movies),
  };
}
