// The list of recommended films as cards. A film that stays keeps its element, so that a change of the list can be seen
// as movement (unless the visitor prefers no motion) and the focus is not lost.

import { element } from "../dom.js";
import { poster } from "./poster.js";
import { stars } from "./stars.js";

/**
 * @typedef {import("./poster.js").Film & {score?: number, predicted_rating?: number | null,
 *   because?: {movie_id: string, title: string, contribution: number}[]}} Recommendation
 */
/** @typedef {(film: import("./poster.js").Film, rating: number) => void} Rate */
/** @typedef {(movieId: string) => number | null} RatingOf */

const LIKED = 3.5;

/** @param {string} text */
const bdi = (text) => element("bdi", {}, text);

/**
 * "Because you liked A and B", from the strongest positive parts of the score. A film with few stars can be among them
 * (watching it tells something too): then it says "rated".
 * @param {Recommendation} film @param {RatingOf} ratingOf
 */
function because(film, ratingOf) {
  const reasons = (film.because ?? []).filter((part) => part.contribution > 0).slice(0, 2);
  if (reasons.length === 0) return null;
  const liked = reasons.every(({ movie_id: id }) => (ratingOf(id) ?? 0) >= LIKED);
  const words = element("p", { class: "because" }, liked ? "Because you liked " : "Because you rated ", bdi(reasons[0].title));
  if (reasons.length > 1) words.append(" and ", bdi(reasons[1].title));
  return words;
}

/** @param {Recommendation} film */
function predicted(film) {
  if (typeof film.predicted_rating !== "number") return null;
  const value = film.predicted_rating.toFixed(1);
  return element("span", { class: "predicted", title: "Predicted rating" },
    element("span", { "aria-hidden": "true" }, `★ ${value}`),
    element("span", { class: "visually-hidden" }, `predicted ${value} stars`));
}

/**
 * @param {Recommendation} film
 * @param {Rate | null} onRate null: nobody is chosen who could rate
 */
function makeCard(film, onRate) {
  const rank = element("span", { class: "rank" });
  const score = element("span", { class: "score" });
  const facts = element("p", { class: "facts" });
  const reasons = element("div");
  const picture = poster(film);
  picture.append(rank, score);
  const card = element("li", { class: "card", "data-movie": film.movie_id }, picture, facts, reasons);
  if (onRate !== null) {
    card.append(stars({ title: film.title, value: null, onRate: (rating) => onRate(film, rating) }));
  }
  return {
    card,
    /** @param {Recommendation} now @param {number} place from 1 @param {RatingOf} ratingOf */
    update(now, place, ratingOf) {
      rank.textContent = String(place);
      score.textContent = typeof now.score === "number" ? `score ${now.score.toFixed(3)}` : "";
      facts.replaceChildren(...[predicted(now), element("span", { class: "genres" }, now.genres.join(", "))].filter((part) => part !== null));
      reasons.replaceChildren(...[because(now, ratingOf)].filter((part) => part !== null));
    },
  };
}

export class CardList {
  /** @param {HTMLElement} place the <ol> */
  constructor(place) {
    this.place = place;
    /** @type {Map<string, ReturnType<typeof makeCard>>} */
    this.cards = new Map();
  }

  /** Forgets the cards: the next list is somebody else's. */
  clear() {
    this.cards.clear();
    this.place.replaceChildren();
  }

  /** @returns {string[]} movie ids, best first */
  get ids() {
    return [...this.cards.keys()];
  }

  /**
   * Shows this list. Returns how many of its films were not in the one before.
   * @param {Recommendation[]} films
   * @param {{onRate: Rate | null, ratingOf: RatingOf, animate: boolean}} options
   */
  show(films, { onRate, ratingOf, animate }) {
    const before = new Map([...this.cards].map(([id, { card }]) => [id, card.getBoundingClientRect()]));
    const focused = this.#focusedPlace();
    const old = this.cards;
    this.cards = new Map();
    films.forEach((film, index) => {
      const entry = old.get(film.movie_id) ?? makeCard(film, onRate);
      entry.update(film, index + 1, ratingOf);
      entry.card.classList.toggle("arrived", animate && !old.has(film.movie_id));
      this.cards.set(film.movie_id, entry);
    });
    this.#arrange([...this.cards.values()].map(({ card }) => card));
    if (focused !== null && !this.place.contains(document.activeElement)) this.#focusPlace(focused);
    if (animate && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.#move(before);
    return films.filter((film) => !old.has(film.movie_id)).length;
  }

  /** Moves only what is out of place, since moving an element takes the focus from it. @param {HTMLElement[]} wanted */
  #arrange(wanted) {
    const keep = new Set(wanted);
    for (const card of [...this.place.children]) if (!keep.has(/** @type {HTMLElement} */ (card))) card.remove();
    const held = document.activeElement;
    wanted.forEach((card, index) => {
      if (this.place.children[index] !== card) this.place.insertBefore(card, this.place.children[index] ?? null);
    });
    if (held instanceof HTMLElement && this.place.contains(held) && held !== document.activeElement) held.focus({ preventScroll: true });
  }

  #focusedPlace() {
    const index = [...this.place.children].findIndex((card) => card.contains(document.activeElement));
    return index < 0 ? null : index;
  }

  /** The card that had the focus is gone: its place keeps it. @param {number} index */
  #focusPlace(index) {
    const card = this.place.children[Math.min(index, this.place.children.length - 1)];
    /** @type {HTMLElement | null | undefined} */ (card?.querySelector("[tabindex]"))?.focus({ preventScroll: true });
  }

  /** @param {Map<string, DOMRect>} before */
  #move(before) {
    for (const [id, { card }] of this.cards) {
      const from = before.get(id);
      const to = card.getBoundingClientRect();
      if (from === undefined) {
        card.animate([{ opacity: 0, transform: "scale(.94)" }, { opacity: 1, transform: "none" }], { duration: 380, easing: "ease-out" });
      } else if (from.left !== to.left || from.top !== to.top) {
        card.animate([{ transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)` }, { transform: "none" }],
          { duration: 420, easing: "cubic-bezier(.2, .7, .2, 1)" });
      }
    }
  }
}
