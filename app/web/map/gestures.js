// Pointer, wheel and keyboard on the canvas. The point under the cursor stays under the cursor.

const CLICK = 5; // CSS pixels that a hand may tremble

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import("./plane.js").Plane} plane
 */
export function gestures(canvas, plane) {
  /** @type {Map<number, {x: number, y: number}>} */ const held = new Map();
  let travelled = 0;
  let start = { x: 0, y: 0 };
  const place = (/** @type {{clientX: number, clientY: number}} */ event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    const { x, y } = place(event);
    plane.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018)), x, y);
  }, { passive: false });

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, place(event));
    if (held.size > 1) return;
    travelled = 0;
    start = place(event);
  });

  canvas.addEventListener("pointermove", (event) => {
    const now = place(event);
    const before = held.get(event.pointerId);
    if (before === undefined) {
      plane.hover(plane.pointAt(now.x, now.y));
      return;
    }
    travelled = Math.max(travelled, Math.hypot(now.x - start.x, now.y - start.y));
    if (held.size === 1) {
      if (travelled <= CLICK) return; // not yet: what it has moved so far is made up for at once
      plane.pan(now.x - before.x, now.y - before.y);
    } else {
      travelled = Infinity;
      const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
      if (other !== undefined) pinch(plane, other, before, now);
    }
    held.set(event.pointerId, now);
  });

  const release = (/** @type {PointerEvent} */ event) => {
    const alone = held.size === 1 && held.has(event.pointerId);
    held.delete(event.pointerId);
    if (!alone || event.type !== "pointerup" || travelled > CLICK) return;
    const { x, y } = place(event);
    plane.hooks.onSelect(plane.pointAt(x, y));
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => plane.hover(-1));
  canvas.addEventListener("blur", () => plane.hover(-1));
  canvas.addEventListener("keydown", (event) => onKey(event, plane));
}

/**
 * One finger stays, the other moves: what is between them stays between them.
 * @param {import("./plane.js").Plane} plane
 * @param {{x: number, y: number}} other @param {{x: number, y: number}} before @param {{x: number, y: number}} now
 */
function pinch(plane, other, before, now) {
  const apart = (/** @type {{x: number, y: number}} */ p) => Math.max(8, Math.hypot(p.x - other.x, p.y - other.y));
  plane.zoom(apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
  plane.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
}

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @param {KeyboardEvent} event @param {import("./plane.js").Plane} plane */
function onKey(event, plane) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  if (arrow !== undefined && event.shiftKey) plane.pan(-60 * arrow[0], -60 * arrow[1]);
  else if (arrow !== undefined) plane.step(...arrow);
  else if (event.key === "+" || event.key === "=") plane.zoom(1.4);
  else if (event.key === "-" || event.key === "_") plane.zoom(1 / 1.4);
  else if (event.key === "0") plane.fit();
  else if (event.key === "Enter" || event.key === " ") {
    if (plane.hovered >= 0) plane.hooks.onSelect(plane.hovered);
  } else if (event.key === "Escape") {
    plane.hover(-1);
    plane.hooks.onSelect(-1);
  } else return;
  event.preventDefault();
}
