// The colours of the canvas, read from the page's tokens; read again when the theme changes.

/** @typedef {ReturnType<typeof readPalette>} Palette */

export function readPalette() {
  const style = getComputedStyle(document.documentElement);
  const token = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    dark: document.documentElement.dataset.theme === "dark",
    screen: token("--screen"),
    raised: token("--raised"),
    ink: token("--ink"),
    dim: token("--ink-dim"),
    line: token("--line"),
    lineStrong: token("--line-strong"),
    accent: token("--accent"),
    light: token("--data-1"),
    user: token("--data-5"),
    movie: token("--data-6"),
    plain: token("--data-8"),
    /** for the genres: told apart from each other and from grey; never the only sign, see the legend's names */
    genres: ["--data-6", "--data-2", "--data-3", "--data-1", "--data-7", "--data-5", "--data-4"].map(token),
    font: token("--font-text"),
  };
}

/** How many genres have a colour of their own. */
export const COLOURED_GENRES = 7;

/**
 * For each movie the number of its colour: the rarest of its coloured genres, which says most about it; -1 for none.
 * The first genre names are the most frequent ones, so the rarest is the highest bit.
 * @param {number[]} masks
 */
export function genreColours(masks) {
  return Int8Array.from(masks, (mask) => 31 - Math.clz32(mask & ((1 << COLOURED_GENRES) - 1)));
}
