// Names beside points: the most popular first, none over another.

/** @typedef {{left: number, top: number, right: number, bottom: number}} Box */
/** @typedef {{text: string, x: number, y: number, point: number}} Label x, y: left end of the text, middle of its height */

export class Labels {
  /** @param {import("./view.js").View} view */
  constructor(view) {
    this.view = view;
    /** @type {Box[]} */ this.taken = [];
  }

  /** @param {Box} box */
  free(box) {
    if (box.left < 4 || box.top < 4 || box.right > this.view.width - 4 || box.bottom > this.view.height - 4) return false;
    return this.taken.every((other) =>
      box.left >= other.right || box.right <= other.left || box.top >= other.bottom || box.bottom <= other.top);
  }

  /** @param {Box} box */
  take(box) { this.taken.push(box); }

  /**
   * A place for a text beside (x, y), or null when there is none: right, left, below, above, then aslant.
   * @param {number} x @param {number} y @param {number} r the size of the point
   * @param {number} width @param {number} height of the text
   * @param {number} [pad] room to keep around it
   * @returns {{x: number, y: number} | null}
   */
  place(x, y, r, width, height, pad = 2) {
    const gap = r * 1.25 + 4;
    const half = height / 2;
    const tries = [
      { x: x + gap, y },
      { x: x - gap - width, y },
      { x: x - width / 2, y: y + gap + half },
      { x: x - width / 2, y: y - gap - half },
      { x: x - width + r, y: y + gap + half },
      { x: x - width + r, y: y - gap - half },
      { x: x - r, y: y + gap + half },
      { x: x - r, y: y - gap - half },
    ];
    for (const at of tries) {
      const box = { left: at.x - pad, right: at.x + width + pad, top: at.y - half - pad / 2, bottom: at.y + half + pad / 2 };
      if (this.free(box)) {
        this.take(box);
        return at;
      }
    }
    return null;
  }
}

/**
 * Text with an edge in the colour of the ground, so that it can be read over points.
 * @param {CanvasRenderingContext2D} context @param {string} text @param {number} x @param {number} y
 * @param {string} colour @param {string} ground
 */
export function write(context, text, x, y, colour, ground) {
  context.lineJoin = "round";
  context.lineWidth = 3.5;
  context.strokeStyle = ground;
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

/** A long title ends in an ellipsis; it stands in full on the card. @param {string} text @param {number} [most] */
export function shortened(text, most = 30) {
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("").trimEnd()}…`;
}
