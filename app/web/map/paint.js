// The lower canvas: ground, grid, origin, points, names. Drawn again only when the view or the world changes.

import { paintDensity } from "./density.js";
import { sizes, stamp } from "./glyphs.js";
import { Labels, shortened, write } from "./labels.js";
import { genreColours } from "./palette.js";
import { roundStep, written } from "./view.js";

/** Above this many visible points of a kind they are drawn as a density. */
export const DENSE = 20_000;
const SMALL_WORLD = 60;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./world.js").World} world
 * @param {import("./view.js").View} view
 * @param {import("./palette.js").Palette} palette
 * @param {{colour: string, genre: number | null, quiet: boolean, keep: Set<number>}} how
 *   quiet: something is selected, the rest steps back;
 *   genre: only this one is in the light; keep: points whose names the upper canvas writes
 */
export function paint(context, world, view, palette, how) {
  context.fillStyle = palette.screen;
  context.fillRect(0, 0, view.width, view.height);
  const labels = new Labels(view);
  labels.take({ left: 0, right: view.width, top: view.height - 46, bottom: view.height }); // buttons and legend
  drawGrid(context, view, palette);
  drawAxisNames(context, world, view, palette, labels);
  const radius = sizes(world, view);
  const strength = how.quiet && world.size > SMALL_WORLD ? 0.45 : 1;
  drawUsers(context, world, view, palette, radius.of, strength);
  drawMovies(context, world, view, palette, radius.of, strength, how);
  drawNames(context, world, view, palette, radius.of, labels, how);
}

/** @param {CanvasRenderingContext2D} context @param {import("./view.js").View} view @param {import("./palette.js").Palette} palette */
function drawGrid(context, view, palette) {
  const step = roundStep(90 / view.scale);
  const low = view.toPlane(0, view.height);
  const high = view.toPlane(view.width, 0);
  context.font = `11px ${palette.font}`;
  context.textBaseline = "middle";
  const crisp = (/** @type {number} */ v) => Math.round(v) + 0.5;
  for (let k = Math.ceil(low.x / step); k * step <= high.x; k += 1) {
    const { x } = view.toScreen(k * step, 0);
    line(context, crisp(x), 0, crisp(x), view.height, k === 0 ? palette.lineStrong : palette.line);
    if (k !== 0 && x > 20 && x < view.width - 40) {
      context.textAlign = "center";
      write(context, written(k * step), x, Math.min(view.height - 10, Math.max(10, view.originY + 11)), palette.dim, palette.screen);
    }
  }
  for (let k = Math.ceil(low.y / step); k * step <= high.y; k += 1) {
    const { y } = view.toScreen(0, k * step);
    line(context, 0, crisp(y), view.width, crisp(y), k === 0 ? palette.lineStrong : palette.line);
    if (k !== 0 && y > 14 && y < view.height - 14) {
      context.textAlign = "right";
      write(context, written(k * step), Math.min(view.width - 6, Math.max(34, view.originX - 7)), y, palette.dim, palette.screen);
    }
  }
  context.textAlign = "left";
}

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number} toX @param {number} toY @param {string} colour */
function line(context, x, y, toX, toY, colour) {
  context.lineWidth = 1;
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(toX, toY);
  context.stroke();
}

/**
 * At the ends of the axes: their names where a person knows them, else how much they keep.
 * @param {CanvasRenderingContext2D} context @param {import("./world.js").World} world @param {import("./view.js").View} view
 * @param {import("./palette.js").Palette} palette @param {Labels} labels
 */
function drawAxisNames(context, world, view, palette, labels) {
  const [across, up] = world.meta.axes;
  const percent = (/** @type {{share: number}} */ axis) => `${Math.round(100 * axis.share)} %`;
  const clampY = Math.min(view.height - 26, Math.max(26, view.originY));
  const clampX = Math.min(view.width - 60, Math.max(60, view.originX));
  context.font = `600 12px ${palette.font}`;
  const texts = [
    { text: across.negative === null ? "" : `◂ ${across.negative}`, x: 10, y: clampY + 15, align: "left" },
    { text: across.positive === null ? `axis 1 · ${percent(across)} ▸` : `${across.positive} ▸`, x: view.width - 10, y: clampY + 15, align: "right" },
    { text: up.positive === null ? `axis 2 · ${percent(up)} ▴` : `${up.positive} ▴`, x: clampX + 9, y: 16, align: "left" },
    { text: up.negative === null ? "" : `${up.negative} ▾`, x: clampX + 9, y: view.height - 20, align: "left" },
  ];
  for (const { text, x, y, align } of texts) {
    if (text === "") continue;
    const { width } = context.measureText(text);
    const left = align === "left" ? x : x - width;
    write(context, text, left, y, palette.dim, palette.screen);
    labels.take({ left: left - 4, right: left + width + 4, top: y - 9, bottom: y + 9 });
  }
}

/**
 * @param {CanvasRenderingContext2D} context @param {import("./world.js").World} world @param {import("./view.js").View} view
 * @param {import("./palette.js").Palette} palette @param {(point: number) => number} radius @param {number} strength
 */
function drawUsers(context, world, view, palette, radius, strength) {
  const crowd = world.users > 200 ? 0.4 : 1;
  if (world.users > DENSE) {
    paintDensity(context, world, view, 0, world.users, palette.user, 0.75 * strength);
    return;
  }
  const draw = stamp("disc", palette.user, palette.screen);
  for (let i = 0; i < world.users; i += 1) drawPoint(context, world, view, i, radius(i), strength * crowd, draw);
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context @param {import("./world.js").World} world @param {import("./view.js").View} view
 * @param {import("./palette.js").Palette} palette @param {(point: number) => number} radius @param {number} strength
 * @param {{colour: string, genre: number | null}} how
 */
function drawMovies(context, world, view, palette, radius, strength, how) {
  if (world.movies > DENSE) {
    paintDensity(context, world, view, world.users, world.size, palette.movie, 0.9 * strength);
    return;
  }
  const plain = stamp("diamond", how.colour === "genre" ? palette.plain : palette.movie, palette.screen);
  const coloured = how.colour === "genre" ? palette.genres.map((colour) => stamp("diamond", colour, palette.screen)) : [];
  const colours = how.colour === "genre" ? genreColours(world.genres) : null;
  const crowd = world.movies > 3000 ? 0.6 : 0.95;
  // The popular ones last, on top.
  const order = Array.from({ length: world.movies }, (_, row) => row)
    .sort((a, b) => world.movieCounts[a] - world.movieCounts[b]);
  for (const row of order) {
    const point = world.moviePoint(row);
    const lit = how.genre === null || (world.genres[row] >>> how.genre) & 1;
    const colour = colours === null ? -1 : how.genre !== null && lit ? how.genre : colours[row];
    drawPoint(context, world, view, point, radius(point), strength * crowd * (lit ? 1 : 0.1), coloured[colour] ?? plain);
  }
  context.globalAlpha = 1;
}

/**
 * A point that the plane shows badly is pale.
 * @param {CanvasRenderingContext2D} context @param {import("./world.js").World} world @param {import("./view.js").View} view
 * @param {number} point @param {number} r @param {number} alpha @param {ReturnType<typeof stamp>} draw
 */
function drawPoint(context, world, view, point, r, alpha, draw) {
  const { x, y, quality } = world.points;
  const at = view.toScreen(x[point], y[point]);
  if (!view.inside(at, -2 * r)) return;
  context.globalAlpha = alpha * (0.35 + 0.65 * (quality[point] / 255));
  draw(context, at.x, at.y, r);
}

/**
 * @param {CanvasRenderingContext2D} context @param {import("./world.js").World} world @param {import("./view.js").View} view
 * @param {import("./palette.js").Palette} palette @param {(point: number) => number} radius @param {Labels} labels
 * @param {{genre: number | null, quiet: boolean, keep: Set<number>}} how
 */
function drawNames(context, world, view, palette, radius, labels, how) {
  const small = world.size <= SMALL_WORLD;
  if (how.quiet && !small) return; // the upper canvas names what matters now
  const { x, y } = world.points;
  /** @type {number[]} */ const candidates = [];
  for (let point = small ? 0 : world.users; point < world.size; point += 1) {
    const at = view.toScreen(x[point], y[point]);
    if (!view.inside(at) || how.keep.has(point)) continue;
    if (small) labels.take({ left: at.x - 8, right: at.x + 8, top: at.y - 8, bottom: at.y + 8 });
    const row = world.movieRow(point);
    if (how.genre !== null && row >= 0 && !((world.genres[row] >>> how.genre) & 1)) continue;
    candidates.push(point);
  }
  const weight = (/** @type {number} */ point) => (world.isUser(point) ? -1 : world.movieCounts[world.movieRow(point)]);
  candidates.sort((a, b) => weight(b) - weight(a) || a - b);
  context.font = `${small ? (view.width < 500 ? "600 12" : "600 13.5") : "12"}px ${palette.font}`;
  let room = small ? SMALL_WORLD : Math.min(90, (view.width * view.height) / 8000);
  for (const point of candidates.slice(0, 600)) {
    if (room <= 0) break;
    const text = shortened(world.name(point), small ? 40 : 28);
    const at = view.toScreen(x[point], y[point]);
    const { width } = context.measureText(text);
    const where = labels.place(at.x, at.y, radius(point), width, 15, small ? 2 : 7);
    if (where === null) continue;
    write(context, text, where.x, where.y, world.isUser(point) ? palette.dim : palette.ink, palette.screen);
    room -= 1;
  }
}
