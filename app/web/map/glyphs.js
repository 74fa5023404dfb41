// Users are discs, movies are diamonds: told apart by shape as well as by hue.

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number} r */
export function disc(context, x, y, r) {
  context.beginPath();
  context.arc(x, y, r, 0, 2 * Math.PI);
}

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number} r */
export function diamond(context, x, y, r) {
  const d = r * 1.2;
  context.beginPath();
  context.moveTo(x, y - d);
  context.lineTo(x + d, y);
  context.lineTo(x, y + d);
  context.lineTo(x - d, y);
  context.closePath();
}

/**
 * How large a point is drawn, in CSS pixels: smaller the more there are, movies larger the more they were rated.
 * @param {import("./world.js").World} world
 * @param {import("./view.js").View} view
 */
export function sizes(world, view) {
  const n = world.size;
  const base = (n <= 50 ? 7 : n <= 400 ? 5 : n <= 4000 ? 3.4 : 2.2) * Math.min(2, (view.scale / view.fitted) ** 0.25);
  const { logPopularity } = world.points;
  let most = 1;
  for (let i = world.users; i < n; i += 1) most = Math.max(most, logPopularity[i]);
  return {
    base,
    /** @param {number} point */
    of: (point) => (world.isUser(point) ? (n <= 50 ? base : base * 0.8)
      : n <= 50 ? base : base * (0.75 + 0.85 * (logPopularity[point] / most) ** 2)),
  };
}

/**
 * One picture for each colour and each half pixel of size, so that thousands of points are as many copies.
 * @param {"disc" | "diamond"} shape @param {string} colour @param {string} edge
 */
export function stamp(shape, colour, edge) {
  /** @type {Map<number, HTMLCanvasElement>} */ const made = new Map();
  const dpr = window.devicePixelRatio || 1;
  return (/** @type {CanvasRenderingContext2D} */ context, /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ r) => {
    const key = Math.round(r * 2) / 2;
    const half = Math.ceil(key * 1.3) + 1.5;
    let picture = made.get(key);
    if (picture === undefined) {
      picture = document.createElement("canvas");
      picture.width = picture.height = Math.ceil(2 * half * dpr);
      const pen = /** @type {CanvasRenderingContext2D} */ (picture.getContext("2d"));
      pen.scale(dpr, dpr);
      (shape === "disc" ? disc : diamond)(pen, half, half, key);
      pen.fillStyle = colour;
      pen.fill();
      pen.lineWidth = key > 4 ? 1.25 : 0.6;
      pen.strokeStyle = edge;
      pen.stroke();
      made.set(key, picture);
    }
    context.drawImage(picture, x - half, y - half, picture.width / dpr, picture.height / dpr);
  };
}
