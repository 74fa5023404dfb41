// A poster without a picture: the title, set by its length, over a drawing that belongs to the genre.
// The drawing is made from the movie's id and title alone, so a film looks the same on every visit and in both themes.

import { element, svg } from "../dom.js";
import { DRAWINGS } from "./drawings.js";
import { PALETTES } from "./palettes.js";

/** @typedef {{movie_id: string, title: string, year: number | null, genres: string[]}} Film */

// The most telling genre first: a science fiction film is one even if it is also action and drama.
const ORDER = [
  "Film-Noir", "Western", "Documentary", "Musical", "Horror", "Animation", "Sci-Fi", "War", "Children", "Fantasy",
  "Mystery", "Romance", "Crime", "Comedy", "Thriller", "Adventure", "Action", "Drama",
];
const SERIF = new Set(["Drama", "Romance", "War", "Western", "Fantasy", "Mystery", "Documentary", "Film-Noir"]);
const ROUND = new Set(["Children", "Animation", "Comedy", "Musical"]);

/**
 * A repeatable stream of numbers in [0, 1) from a text (FNV-1a, then mulberry32).
 * @param {string} text
 * @returns {() => number}
 */
export function dice(text) {
  let state = 2166136261;
  for (const character of text) state = Math.imul(state ^ /** @type {number} */ (character.codePointAt(0)), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * The genre that the poster shows: mostly the most telling one, sometimes the next, so that a list of one taste has variety.
 * @param {string[]} genres
 * @param {number} chance in [0, 1)
 */
export function leadingGenre(genres, chance) {
  const telling = ORDER.filter((genre) => genres.includes(genre));
  return (chance < 0.68 ? telling[0] : telling[1] ?? telling[0]) ?? "Other";
}

/** @template T @param {() => number} roll @param {T[]} choices @returns {T} */
const pick = (roll, choices) => choices[Math.floor(roll() * choices.length)];

const pen = document.createElement("canvas").getContext("2d");
const tokens = getComputedStyle(document.documentElement);
const FACES = {
  serif: `600 100px ${tokens.getPropertyValue("--font-serif")}`,
  gothic: `700 100px ${tokens.getPropertyValue("--font-title")}`,
  round: `700 100px ${tokens.getPropertyValue("--font-round")}`,
};

/** Width in em, in whichever font this machine has. @param {string} text @param {keyof typeof FACES} voice */
function width(text, voice) {
  if (pen === null) return text.length * 0.65;
  pen.font = FACES[voice];
  return pen.measureText(text).width / 100 + 0.01 * text.length;
}

/**
 * Font size in hundredths of the poster's width, so that the longest word fits a line and the title its block.
 * @param {string} title
 * @param {keyof typeof FACES} voice
 */
export function titleSize(title, voice) {
  const written = voice === "gothic" ? title.toUpperCase() : title;
  const longest = Math.max(0.5, ...written.split(/\s+/).map((word) => width(word, voice)));
  const whole = Math.max(0.5, width(written, voice));
  const [across, down, leading, raggedness] = [83, 50, 1.1, 1.3];
  return Math.max(6.6, Math.min(across / longest, Math.sqrt((across * down) / (whole * leading * raggedness)), 18.5));
}

/**
 * @param {Film} film
 * @returns {HTMLElement}
 */
export function poster(film) {
  const roll = dice(`${film.movie_id} ${film.title}`);
  const genre = leadingGenre(film.genres, roll());
  const [ground, ink, ...hues] = pick(roll, PALETTES[genre]);
  const [first, second, third] = hues;
  const shapes = pick(roll, DRAWINGS[genre])(roll, first, second, third, ground);
  const voice = SERIF.has(genre) ? "serif" : ROUND.has(genre) ? "round" : "gothic";
  const art = svg("svg", { viewBox: "0 0 200 170", preserveAspectRatio: "xMidYMin slice", "aria-hidden": "true", class: "art" });
  for (const [tag, attributes] of shapes) art.append(svg(tag, attributes));
  const title = element("h3", { class: `poster-title ${voice}`, dir: "auto", title: film.title }, film.title);
  title.style.setProperty("--size", titleSize(film.title, voice).toFixed(2));
  const made = element("div", { class: "poster", "data-genre": genre }, art,
    element("div", { class: "poster-words" }, title,
      element("p", { class: "poster-year" }, film.year === null ? "" : String(film.year))));
  made.style.setProperty("--ground", ground);
  made.style.setProperty("--poster-ink", ink);
  return made;
}
