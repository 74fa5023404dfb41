// Where a point of the plane is on the screen. One scale for both axes (equal aspect): angles and lengths are true.

/** @typedef {{x: number, y: number}} Place */

export class View {
  constructor() {
    this.width = 1;
    this.height = 1;
    /** CSS pixels a unit */ this.scale = 1;
    /** The origin in CSS pixels from the left and from the top. */
    this.originX = 0;
    this.originY = 0;
    /** @type {[number, number, number, number]} */ this.bbox = [-1, -1, 1, 1];
    this.fitted = 1;
  }

  /** @param {number} x @param {number} y @returns {Place} */
  toScreen(x, y) {
    return { x: this.originX + x * this.scale, y: this.originY - y * this.scale };
  }

  /** @param {number} x @param {number} y @returns {Place} */
  toPlane(x, y) {
    return { x: (x - this.originX) / this.scale, y: (this.originY - y) / this.scale };
  }

  /** Keeps what is in the middle in the middle. @param {number} width @param {number} height */
  resize(width, height) {
    const state = this.state;
    this.width = width;
    this.height = height;
    this.measure();
    this.state = state;
  }

  /** Shows everything within these bounds. @param {[number, number, number, number]} bbox */
  fit(bbox) {
    this.bbox = bbox;
    this.measure();
    this.state = { x: (bbox[0] + bbox[2]) / 2, y: (bbox[1] + bbox[3]) / 2, zoom: 1 };
    this.originY -= (this.margin.bottom - this.margin.top) / 2;
  }

  /** Room for names at the sides, and for the buttons at the bottom. */
  get margin() {
    return { side: Math.min(76, this.width * 0.13), top: Math.min(48, this.height * 0.11), bottom: Math.min(68, this.height * 0.16) };
  }

  measure() {
    const [left, bottom, right, top] = this.bbox;
    const wide = Math.max(right - left, 1e-9);
    const high = Math.max(top - bottom, 1e-9);
    const fitted = Math.min((this.width - 2 * this.margin.side) / wide, (this.height - this.margin.top - this.margin.bottom) / high);
    // All points at the origin: any scale shows them.
    this.fitted = Number.isFinite(fitted) && fitted > 0 && fitted < 1e8 ? fitted : 100;
  }

  /** The point in the middle, and how much larger than fitted; what a link keeps. */
  get state() {
    const middle = this.toPlane(this.width / 2, this.height / 2);
    return { ...middle, zoom: this.scale / this.fitted };
  }

  set state({ x, y, zoom }) {
    this.scale = this.fitted * Math.min(400, Math.max(0.2, zoom));
    this.originX = this.width / 2 - x * this.scale;
    this.originY = this.height / 2 + y * this.scale;
  }

  /** What is at (x, y) stays there. @param {number} x @param {number} y @param {number} factor */
  zoomAt(x, y, factor) {
    const scale = Math.min(this.fitted * 400, Math.max(this.fitted * 0.2, this.scale * factor));
    const by = scale / this.scale;
    this.originX = x - (x - this.originX) * by;
    this.originY = y - (y - this.originY) * by;
    this.scale = scale;
  }

  /** @param {number} dx @param {number} dy in CSS pixels */
  pan(dx, dy) {
    this.originX += dx;
    this.originY += dy;
  }

  /** @param {Place} place in CSS pixels @param {number} [margin] */
  inside(place, margin = 0) {
    return place.x >= margin && place.x <= this.width - margin && place.y >= margin && place.y <= this.height - margin;
  }
}

/** A round step (1, 2 or 5 times a power of ten) that is at least as long as this. @param {number} least */
export function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  for (const times of [1, 2, 5]) if (times * power >= least * 0.999) return times * power;
  return 10 * power;
}

/** A number as people write it: a true minus sign, no tail of rounding. @param {number} value @param {number} [digits] */
export function written(value, digits = 4) {
  const rounded = Number(value.toPrecision(digits));
  return (Math.abs(rounded) < 1e-12 ? "0" : String(rounded)).replace("-", "−");
}

/** With two decimals and a true minus sign. @param {number} value */
export function fixed(value) {
  const text = value.toFixed(2);
  return (Number(text) === 0 ? "0.00" : text).replace("-", "−");
}
