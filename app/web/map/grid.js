// The points sorted into square cells (a counting sort), so that the one under the cursor is found without a look at all.

export class Grid {
  /** @param {Float32Array} x @param {Float32Array} y */
  constructor(x, y) {
    this.x = x;
    this.y = y;
    const n = x.length;
    let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < n; i += 1) {
      left = Math.min(left, x[i]);
      right = Math.max(right, x[i]);
      bottom = Math.min(bottom, y[i]);
      top = Math.max(top, y[i]);
    }
    this.left = left;
    this.bottom = bottom;
    const perSide = Math.min(512, Math.max(1, Math.ceil(Math.sqrt(n / 2))));
    this.cell = Math.max((right - left) / perSide, (top - bottom) / perSide, 1e-12);
    this.columns = Math.floor((right - left) / this.cell) + 1;
    this.rows = Math.floor((top - bottom) / this.cell) + 1;
    /** starts[c] … starts[c + 1] are the places of cell c in `order` */
    this.starts = new Uint32Array(this.columns * this.rows + 1);
    this.order = new Uint32Array(n);
    for (let i = 0; i < n; i += 1) this.starts[this.cellOf(i) + 1] += 1;
    for (let c = 1; c < this.starts.length; c += 1) this.starts[c] += this.starts[c - 1];
    const next = this.starts.slice();
    for (let i = 0; i < n; i += 1) this.order[next[this.cellOf(i)]++] = i;
  }

  /** @param {number} i */
  cellOf(i) {
    const column = Math.floor((this.x[i] - this.left) / this.cell);
    const row = Math.floor((this.y[i] - this.bottom) / this.cell);
    return Math.min(row, this.rows - 1) * this.columns + Math.min(column, this.columns - 1);
  }

  /**
   * The point nearest to (x, y) within a distance, -1 if there is none; of several the last, which is drawn on top.
   * @param {number} x @param {number} y @param {number} within
   */
  nearest(x, y, within) {
    const from = (/** @type {number} */ v, /** @type {number} */ low, /** @type {number} */ count) =>
      Math.min(count - 1, Math.max(0, Math.floor((v - low) / this.cell)));
    const firstColumn = from(x - within, this.left, this.columns);
    const lastColumn = from(x + within, this.left, this.columns);
    const lastRow = from(y + within, this.bottom, this.rows);
    let found = -1;
    let best = within * within;
    for (let row = from(y - within, this.bottom, this.rows); row <= lastRow; row += 1) {
      const base = row * this.columns;
      const end = this.starts[base + lastColumn + 1];
      for (let at = this.starts[base + firstColumn]; at < end; at += 1) {
        const i = this.order[at];
        const distance = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
        if (distance < best || (distance === best && i > found)) {
          best = distance;
          found = i;
        }
      }
    }
    return found;
  }

  /**
   * The nearest point in a direction: within 45° of it, and not at the same place.
   * @param {number} x @param {number} y where to start
   * @param {number} dx @param {number} dy one of them 0, the other ±1
   */
  towards(x, y, dx, dy) {
    let found = -1;
    let best = Infinity;
    for (let i = 0; i < this.x.length; i += 1) {
      const along = (this.x[i] - x) * dx + (this.y[i] - y) * dy;
      const aside = Math.abs((this.x[i] - x) * dy) + Math.abs((this.y[i] - y) * dx);
      if (along <= 0 || aside > along) continue;
      const distance = along * along + 4 * aside * aside;
      if (distance < best) {
        best = distance;
        found = i;
      }
    }
    return found;
  }
}
