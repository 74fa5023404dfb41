// The upper canvas: what is selected or under the cursor, and how to read it. Clear and cheap: drawn at every move.

import { diamond, disc } from "./glyphs.js";
import { Labels, shortened, write } from "./labels.js";
import { fixed, roundStep, written } from "./view.js";

/**
 * @typedef {object} Scene
 * @property {import("./world.js").World} world
 * @property {number} selected a point, or -1
 * @property {number} hovered a point, or -1
 * @property {{user: number, movie: number} | null} cell a cell of the matrix under the cursor: two points
 * @property {import("./marks.js").Marks} marks
 */
/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {import("./view.js").View} View */
/** @typedef {import("./palette.js").Palette} Palette */

/** @param {Context} context @param {Scene} scene @param {View} view @param {Palette} palette @param {(point: number) => number} radius */
export function paintOverlay(context, scene, view, palette, radius) {
  context.clearRect(0, 0, view.width, view.height);
  context.textBaseline = "middle";
  const { world, selected, hovered, cell } = scene;
  const user = cell !== null ? cell.user : selected >= 0 && world.isUser(selected) ? selected : -1;
  const movie = cell !== null ? cell.movie : user >= 0 && hovered >= 0 && !world.isUser(hovered) ? hovered : -1;
  if (user >= 0) drawReading(context, world, user, view, palette);
  if (selected >= 0) {
    drawLinks(context, scene, view, palette);
    drawMarks(context, scene, view, palette, radius);
  }
  if (user >= 0 && movie >= 0) drawFoot(context, world, user, movie, view, palette);
  if (cell !== null) drawArrow(context, world, cell.movie, view, palette.movie);
  if (user >= 0) drawArrow(context, world, user, view, palette.user);
  for (const point of new Set([selected, cell?.user ?? -1, cell?.movie ?? -1, hovered])) {
    if (point >= 0) drawRing(context, world, point, view, palette, radius(point));
  }
  if (hovered >= 0) drawTip(context, scene, hovered, user, view, palette);
}

/** @param {import("./world.js").World} world @param {number} point @param {View} view */
function placeOf(world, point, view) {
  return view.toScreen(world.points.x[point], world.points.y[point]);
}

/**
 * How a user reads the plane: the side that scores above 0 in the light, and lines of equal score.
 * @param {Context} context @param {import("./world.js").World} world @param {number} user @param {View} view @param {Palette} palette
 */
function drawReading(context, world, user, view, palette) {
  const fx = world.points.x[user];
  const fy = world.points.y[user];
  const length = Math.hypot(fx, fy);
  if (length * view.scale < 1) return;
  const along = { x: fx / length, y: -fy / length }; // on the screen
  const across = { x: -along.y, y: along.x };
  const far = view.width + view.height + Math.hypot(view.originX, view.originY);
  const corner = (/** @type {number} */ a, /** @type {number} */ b) =>
    [view.originX + along.x * a + across.x * b, view.originY + along.y * a + across.y * b];
  context.fillStyle = palette.light;
  context.globalAlpha = palette.dark ? 0.07 : 0.09;
  context.beginPath();
  for (const [a, b] of [[0, -far], [far, -far], [far, far], [0, far]]) context.lineTo(...corner(a, b));
  context.fill();
  context.globalAlpha = 1;

  const perUnit = view.scale / length; // CSS pixels that a score of 1 lies along the arrow
  const step = roundStep(84 / perUnit);
  const ends = [[0, 0], [view.width, 0], [0, view.height], [view.width, view.height]]
    .map(([x, y]) => ((x - view.originX) * along.x + (y - view.originY) * along.y) / perUnit);
  context.font = `11px ${palette.font}`;
  for (let k = Math.ceil(Math.min(...ends) / step); k * step <= Math.max(...ends); k += 1) {
    const [fromX, fromY] = corner(k * step * perUnit, -far);
    const [toX, toY] = corner(k * step * perUnit, far);
    context.strokeStyle = k === 0 ? palette.ink : palette.lineStrong;
    context.lineWidth = k === 0 ? 1.5 : 1;
    context.globalAlpha = k === 0 ? 0.75 : 0.5;
    context.setLineDash(k === 0 ? [] : [3, 5]);
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
    context.stroke();
    context.globalAlpha = 1;
    const edge = atEdge(fromX, fromY, toX, toY, view);
    if (edge !== null) {
      context.textAlign = "center";
      write(context, lineName(k * step, world.meta.centred), edge.x, edge.y, palette.dim, palette.screen);
    }
  }
  context.setLineDash([]);
  context.textAlign = "left";
}

/** What a line of equal score is called. @param {number} score @param {boolean} centred whether it is relative to the user's average */
function lineName(score, centred) {
  if (!centred) return `score ${written(score)}`;
  return score === 0 ? "average" : `${score > 0 ? "+" : ""}${written(score)}`;
}

/**
 * A place for the number of a line, near where it leaves the canvas at the top or at the right; null if it is not in sight.
 * @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 @param {View} view
 */
function atEdge(x0, y0, x1, y1, view) {
  const inset = { left: 24, right: view.width - 24, top: 34, bottom: view.height - 14 };
  const inside = (/** @type {{x: number, y: number}} */ p) =>
    p.x >= inset.left - 1 && p.x <= inset.right + 1 && p.y >= inset.top - 1 && p.y <= inset.bottom + 1;
  const dx = x1 - x0;
  const dy = y1 - y0;
  const tries = [];
  if (Math.abs(dy) > 1e-6) tries.push({ x: x0 + ((inset.top - y0) / dy) * dx, y: inset.top });
  if (Math.abs(dx) > 1e-6) tries.push({ x: inset.right, y: y0 + ((inset.right - x0) / dx) * dy }, { x: inset.left, y: y0 + ((inset.left - x0) / dx) * dy });
  return tries.find(inside) ?? null;
}

/** @param {Context} context @param {import("./world.js").World} world @param {number} point @param {View} view @param {string} colour */
function drawArrow(context, world, point, view, colour) {
  const tip = placeOf(world, point, view);
  const dx = tip.x - view.originX;
  const dy = tip.y - view.originY;
  const length = Math.hypot(dx, dy);
  if (length < 2) return;
  const [ux, uy] = [dx / length, dy / length];
  const end = Math.max(0, length - 9); // the point itself stays free
  const x = view.originX + ux * end;
  const y = view.originY + uy * end;
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = 2.5;
  context.beginPath();
  context.moveTo(view.originX, view.originY);
  context.lineTo(x - ux * 7, y - uy * 7);
  context.stroke();
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - ux * 11 - uy * 5, y - uy * 11 + ux * 5);
  context.lineTo(x - ux * 11 + uy * 5, y - uy * 11 - ux * 5);
  context.closePath();
  context.fill();
}

/**
 * The foot of a movie on a user's arrow: its distance from the origin times the arrow's length is the score.
 * @param {Context} context @param {import("./world.js").World} world @param {number} user @param {number} movie @param {View} view @param {Palette} palette
 */
function drawFoot(context, world, user, movie, view, palette) {
  const { x, y } = world.points;
  const squared = x[user] ** 2 + y[user] ** 2;
  if (squared === 0) return;
  const t = world.dot(user, movie) / squared;
  const foot = view.toScreen(x[user] * t, y[user] * t);
  const from = placeOf(world, movie, view);
  context.strokeStyle = palette.light;
  context.lineCap = "round";
  context.lineWidth = 5;
  context.globalAlpha = 0.65;
  context.beginPath();
  context.moveTo(view.originX, view.originY);
  context.lineTo(foot.x, foot.y);
  context.stroke();
  context.globalAlpha = 1;
  context.lineCap = "butt";
  context.strokeStyle = palette.ink;
  context.lineWidth = 1;
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(foot.x, foot.y);
  context.stroke();
  context.setLineDash([]);
  disc(context, foot.x, foot.y, 3);
  context.fillStyle = palette.ink;
  context.fill();
}

/** From a selected movie to its neighbours. @param {Context} context @param {Scene} scene @param {View} view @param {Palette} palette */
function drawLinks(context, { world, selected, marks }, view, palette) {
  if (world.isUser(selected)) return;
  const from = placeOf(world, selected, view);
  context.strokeStyle = palette.movie;
  context.lineWidth = 1.25;
  context.globalAlpha = 0.7;
  for (const row of marks.truth) {
    const to = placeOf(world, world.moviePoint(row), view);
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
  }
  context.globalAlpha = 1;
}

/**
 * The true top filled and numbered, the plane's top as hollow diamonds, what the user rated as dots.
 * @param {Context} context @param {Scene} scene @param {View} view @param {Palette} palette @param {(point: number) => number} radius
 */
function drawMarks(context, { world, selected, marks }, view, palette, radius) {
  const labels = new Labels(view);
  labels.take({ left: 0, right: view.width, top: view.height - 46, bottom: view.height }); // buttons and legend
  context.lineWidth = 1.5;
  for (const row of marks.rated) {
    const at = placeOf(world, world.moviePoint(row), view);
    disc(context, at.x, at.y, 2.2);
    context.fillStyle = palette.ink;
    context.fill();
  }
  for (const row of marks.plane) {
    const at = placeOf(world, world.moviePoint(row), view);
    diamond(context, at.x, at.y, Math.max(8, radius(world.moviePoint(row)) + 4));
    context.strokeStyle = palette.ink;
    context.stroke();
  }
  marks.truth.forEach((row) => {
    const point = world.moviePoint(row);
    const at = placeOf(world, point, view);
    const r = Math.max(6, radius(point));
    diamond(context, at.x, at.y, r);
    context.fillStyle = palette.movie;
    context.fill();
    labels.take({ left: at.x - r, right: at.x + r, top: at.y - r, bottom: at.y + r });
  });
  if (!marks.named) return;
  context.font = `600 12.5px ${palette.font}`;
  const own = placeOf(world, selected, view);
  if (world.isUser(selected)) {
    const [left, right] = [own.x, view.originX].sort((a, b) => a - b);
    const [top, bottom] = [own.y, view.originY].sort((a, b) => a - b);
    if (bottom - top < 60 || right - left < 60) labels.take({ left, right, top: top - 3, bottom: bottom + 3 }); // the arrow
  }
  const name = shortened(world.name(selected), 28);
  const beside = labels.place(own.x, own.y, 11, context.measureText(name).width, 15);
  if (beside !== null) write(context, name, beside.x, beside.y, world.isUser(selected) ? palette.user : palette.movie, palette.screen);
  marks.truth.forEach((row, rank) => {
    const point = world.moviePoint(row);
    const at = placeOf(world, point, view);
    if (!view.inside(at)) return;
    const full = `${rank + 1}  ${shortened(world.name(point), 28)}`;
    for (const text of [full, `${rank + 1}`]) {
      const where = labels.place(at.x, at.y, 8, context.measureText(text).width, 15);
      if (where === null) continue;
      write(context, text, where.x, where.y, palette.ink, palette.screen);
      return;
    }
  });
}

/** @param {Context} context @param {import("./world.js").World} world @param {number} point @param {View} view @param {Palette} palette @param {number} r */
function drawRing(context, world, point, view, palette, r) {
  const at = placeOf(world, point, view);
  const user = world.isUser(point);
  (user ? disc : diamond)(context, at.x, at.y, r + 0.5);
  context.fillStyle = user ? palette.user : palette.movie;
  context.fill();
  (user ? disc : diamond)(context, at.x, at.y, r + 3.5);
  context.strokeStyle = palette.ink;
  context.lineWidth = 2;
  context.stroke();
}

/**
 * The name of the point under the cursor, and what it scores for the selected user.
 * @param {Context} context @param {Scene} scene @param {number} point @param {number} user @param {View} view @param {Palette} palette
 */
function drawTip(context, { world }, point, user, view, palette) {
  const lines = [shortened(world.fullName(point), 48)];
  if (user >= 0 && !world.isUser(point)) {
    const dot = world.dot(user, point);
    lines.push(world.meta.centred ? `${dot >= 0 ? "+" : ""}${fixed(dot)} from ${world.name(user)}’s average` : `score for ${world.name(user)}: ${fixed(dot)}`);
  } else {
    const count = world.isUser(point) ? world.userCounts[point] : world.movieCounts[world.movieRow(point)];
    lines.push(`${count} ${world.matrix?.ticks ? "✓" : count === 1 ? "rating" : "ratings"}`);
  }
  context.font = `600 13px ${palette.font}`;
  const width = Math.max(...lines.map((text) => context.measureText(text).width)) + 20;
  const height = 12 + 18 * lines.length;
  const at = placeOf(world, point, view);
  const left = Math.max(4, Math.min(view.width - width - 4, at.x + 14));
  const top = at.y - height - 12 > 4 ? at.y - height - 12 : Math.min(view.height - height - 4, at.y + 16);
  context.fillStyle = palette.ink;
  context.beginPath();
  context.roundRect(left, top, width, height, 4);
  context.fill();
  context.fillStyle = palette.screen;
  lines.forEach((text, i) => {
    context.font = `${i === 0 ? "600 " : ""}13px ${palette.font}`;
    context.fillText(text, left + 10, top + 15 + 18 * i);
  });
}
