// What stands below the picture: how to read it, and how far to trust it. And the legend in its corner.

import { element } from "../dom.js";
import { COLOURED_GENRES } from "./palette.js";

/** @param {HTMLElement} how @param {HTMLElement} room @param {any} meta */
export function showReading(how, room, meta) {
  how.textContent = meta.how_to_read;
  const { fidelity } = meta;
  const [low, high] = fidelity.top_agreement_interval.map((/** @type {number} */ share) => (share * fidelity.top_n).toFixed(1));
  const grade = { good: "Trust it", fair: "Trust it with care", poor: "A rough sketch" }[/** @type {"good" | "fair" | "poor"} */ (fidelity.grade)];
  const facts = [`${percent(fidelity.variance_kept)} of the differences between scores are in this plane`];
  if (fidelity.sampled) facts.push(`${low} to ${high} with 95 % confidence, from ${fidelity.users_compared.toLocaleString("en")} users`);
  if (fidelity.rank_correlation !== null) facts.push(`rank correlation ${fidelity.rank_correlation.toFixed(2)}`);
  room.className = `fidelity ${fidelity.grade}`;
  room.replaceChildren(
    element("p", { class: "words" }, element("strong", {}, `${grade}. `), element("span", { id: "fidelity-words" }, fidelity.words)),
    element("p", { class: "dim small" }, `${facts.join(" · ")}.`),
    element("p", { class: "dim small" }, counts(meta)));
}

/** @param {any} meta */
function counts(meta) {
  const model = meta.generation === null ? "" : ` · model generation ${meta.generation}`;
  // What the data of the current model is bound to stands in the footer; the course's own note stands nowhere else.
  const notice = meta.model !== "course" || meta.notice === null ? "" : ` · ${meta.notice}`;
  return `${meta.users.toLocaleString("en")} users · ${meta.movies.toLocaleString("en")} movies · ${meta.factors} factors${model}${notice}`;
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(share > 0.995 || share < 0.1 ? 1 : 0).replace(/\.0$/, "")} %`;
}

/**
 * @param {HTMLElement} room @param {import("./world.js").World} world @param {string} colour
 * @param {number | null} genre the one in the light @param {string[]} hues
 * @param {(genre: number | null) => void} onGenre
 */
export function showLegend(room, world, colour, genre, hues, onGenre) {
  if (colour !== "genre") {
    room.replaceChildren(
      element("span", {}, element("span", { class: "user", "aria-hidden": "true" }, "● "), "users"),
      element("span", {}, element("span", { class: "movie", "aria-hidden": "true" }, "◆ "), "movies"));
    return;
  }
  const buttons = world.genreNames.slice(0, COLOURED_GENRES).map((name, bit) => {
    const dot = element("span", { "aria-hidden": "true" }, "◆ ");
    dot.style.color = hues[bit];
    return element("button", { type: "button", "aria-pressed": String(genre === bit), onclick: () => onGenre(genre === bit ? null : bit) },
      dot, element("bdi", {}, name));
  });
  room.replaceChildren(
    element("span", {}, element("span", { class: "neutral", "aria-hidden": "true" }, "● "), "users"),
    ...buttons,
    element("span", {}, element("span", { class: "neutral", "aria-hidden": "true" }, "◆ "), "other genres"));
}
