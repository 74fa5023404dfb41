// More points than a screen has room for: counted per pixel block, drawn by the logarithm of the count.

/** CSS pixels a block */
const BLOCK = 2;

/**
 * @param {import("./world.js").World} world
 * @param {import("./view.js").View} view
 * @param {number} from first point @param {number} to after the last
 * @returns {{counts: Uint32Array, columns: number, rows: number, total: number, most: number}}
 */
export function count(world, view, from, to) {
  const columns = Math.max(1, Math.ceil(view.width / BLOCK));
  const rows = Math.max(1, Math.ceil(view.height / BLOCK));
  const counts = new Uint32Array(columns * rows);
  const { x, y } = world.points;
  let total = 0;
  let most = 0;
  for (let i = from; i < to; i += 1) {
    const column = Math.floor((view.originX + x[i] * view.scale) / BLOCK);
    const row = Math.floor((view.originY - y[i] * view.scale) / BLOCK);
    if (column < 0 || row < 0 || column >= columns || row >= rows) continue;
    const now = (counts[row * columns + column] += 1);
    if (now > most) most = now;
    total += 1;
  }
  return { counts, columns, rows, total, most };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./world.js").World} world
 * @param {import("./view.js").View} view
 * @param {number} from @param {number} to
 * @param {string} colour #rrggbb
 * @param {number} strength 0 to 1
 */
export function paintDensity(context, world, view, from, to, colour, strength) {
  const { counts, columns, rows, most } = count(world, view, from, to);
  if (most === 0) return;
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const image = new ImageData(columns, rows);
  const full = Math.log(1 + most);
  for (let at = 0; at < counts.length; at += 1) {
    if (counts[at] === 0) continue;
    image.data[4 * at] = red;
    image.data[4 * at + 1] = green;
    image.data[4 * at + 2] = blue;
    image.data[4 * at + 3] = 255 * strength * (0.25 + 0.75 * (Math.log(1 + counts[at]) / full));
  }
  const raster = new OffscreenCanvas(columns, rows);
  /** @type {OffscreenCanvasRenderingContext2D} */ (raster.getContext("2d")).putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(raster, 0, 0, columns * BLOCK, rows * BLOCK);
}
