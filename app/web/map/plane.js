// The picture: two canvases, a view, and what pointer and keyboard do to them.
//
// For tests and for the curious: `document.querySelector("#plane").view` is the live View (map/view.js), and the
// canvas says in data attributes what it shows: data-ready ("model projection"), data-scale (CSS pixels a unit),
// data-origin-x, data-origin-y (CSS pixels from its left and top), data-hovered, data-selected (names, or "").

import { gestures } from "./gestures.js";
import { sizes } from "./glyphs.js";
import { Grid } from "./grid.js";
import { noMarks } from "./marks.js";
import { paintOverlay } from "./overlay.js";
import { paint } from "./paint.js";
import { readPalette } from "./palette.js";
import { View } from "./view.js";

const REACH = 16; // CSS pixels within which a point is under the cursor

/** @typedef {{onHover: (point: number) => void, onSelect: (point: number) => void, onView: () => void}} Hooks */

export class Plane {
  /** @param {HTMLCanvasElement} base @param {HTMLCanvasElement} top @param {Hooks} hooks */
  constructor(base, top, hooks) {
    this.base = base;
    this.top = top;
    this.hooks = hooks;
    this.view = new View();
    Object.assign(top, { view: this.view });
    this.palette = readPalette();
    /** @type {import("./world.js").World | null} */ this.world = null;
    /** @type {Grid | null} */ this.grid = null;
    this.selected = -1;
    this.hovered = -1;
    /** @type {{user: number, movie: number} | null} */ this.cell = null;
    this.marks = noMarks();
    /** whether everything is in sight, and is to stay so when the window changes */ this.whole = true;
    this.colour = "kind";
    /** @type {number | null} */ this.genre = null;
    this.stale = { base: false, top: false };
    /** @type {(point: number) => number} */ this.radius = () => 5;
    gestures(top, this);
    new ResizeObserver(() => this.resize()).observe(top);
    document.addEventListener("themechange", () => {
      this.palette = readPalette();
      this.redraw();
    });
    this.resize();
  }

  /** @param {import("./world.js").World} world */
  show(world) {
    this.world = world;
    this.grid = new Grid(world.points.x, world.points.y);
    this.selected = this.hovered = -1;
    this.cell = null;
    this.marks = noMarks();
    this.genre = null;
    this.whole = true;
    this.view.fit(world.points.bbox);
    this.redraw();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.top;
    const dpr = window.devicePixelRatio || 1;
    if (width === 0 || height === 0) return;
    for (const canvas of [this.base, this.top]) {
      canvas.width = Math.round(width * dpr);
      canvas.height = Math.round(height * dpr);
      canvas.getContext("2d")?.setTransform(dpr, 0, 0, dpr, 0, 0);
    }
    this.view.resize(width, height);
    if (this.whole) this.view.fit(this.view.bbox);
    this.redraw();
  }

  /** @param {boolean} [all] false: only what lies above the points */
  redraw(all = true) {
    const waiting = this.stale.base || this.stale.top;
    this.stale.base ||= all;
    this.stale.top = true;
    if (!waiting) requestAnimationFrame(() => this.draw());
  }

  draw() {
    const { world, view } = this;
    if (world !== null) {
      // The colours of the genres are for movies alone: users would be taken for one of them.
      const palette = this.colour === "genre" ? { ...this.palette, user: this.palette.plain } : this.palette;
      if (this.stale.base) {
        this.radius = sizes(world, view).of;
        const keep = new Set();
        paint(/** @type {CanvasRenderingContext2D} */ (this.base.getContext("2d")), world, view, palette,
          { colour: this.colour, genre: this.genre, quiet: this.marks.named, keep });
      }
      const { selected, hovered, cell, marks } = this;
      paintOverlay(/** @type {CanvasRenderingContext2D} */ (this.top.getContext("2d")),
        { world, selected, hovered, cell, marks }, view, palette, this.radius);
      const say = (/** @type {number} */ point) => (point < 0 ? "" : world.name(point));
      Object.assign(this.top.dataset, {
        ready: `${world.meta.model} ${world.meta.projection}`, scale: view.scale, originX: view.originX, originY: view.originY,
        hovered: say(hovered), selected: say(selected),
      });
    }
    this.stale = { base: false, top: false };
  }

  /** @param {number} x @param {number} y in CSS pixels of the canvas @returns {number} the point there, or -1 */
  pointAt(x, y) {
    if (this.grid === null) return -1;
    const at = this.view.toPlane(x, y);
    return this.grid.nearest(at.x, at.y, REACH / this.view.scale);
  }

  /** @param {number} point */
  hover(point) {
    if (point === this.hovered) return;
    this.hovered = point;
    this.top.classList.toggle("over", point >= 0);
    this.hooks.onHover(point);
    this.redraw(false);
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.view.pan(dx, dy);
    this.moved();
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] what stays where it is; the middle by default */
  zoom(factor, x = this.view.width / 2, y = this.view.height / 2) {
    this.view.zoomAt(x, y, factor);
    this.moved();
  }

  fit() {
    this.view.fit(this.view.bbox);
    this.moved(true);
  }

  /** @param {{x: number, y: number, zoom: number}} state */
  lookAt(state) {
    this.view.state = state;
    this.moved();
  }

  moved(whole = false) {
    this.whole = whole;
    this.hooks.onView();
    this.redraw();
  }

  /** Moves the picture so far that the point is in sight. @param {number} point */
  reveal(point) {
    if (this.world === null) return;
    const { x, y } = this.world.points;
    if (this.view.inside(this.view.toScreen(x[point], y[point]), 30)) return;
    this.lookAt({ x: x[point], y: y[point], zoom: this.view.state.zoom });
  }

  /** To the nearest point in a direction of the screen. @param {number} dx @param {number} dy */
  step(dx, dy) {
    if (this.grid === null || this.world === null) return;
    const from = this.hovered >= 0 ? this.hovered : this.selected;
    if (from < 0) {
      const middle = this.view.toPlane(this.view.width / 2, this.view.height / 2);
      this.hover(this.grid.nearest(middle.x, middle.y, 1e30));
    } else {
      const next = this.grid.towards(this.world.points.x[from], this.world.points.y[from], dx, -dy);
      if (next >= 0) this.hover(next);
    }
    if (this.hovered >= 0) this.reveal(this.hovered);
  }
}
