// The rating control: a slider of half stars. Arrows and digits choose, Enter gives, Escape takes the choice back,
// Delete removes a rating; with a pointer, one click gives. Choosing alone sends nothing.

import { element } from "../dom.js";

/**
 * @param {{title: string, value: number | null, onRate: (rating: number) => void, onRemove?: () => void}} options
 * @returns {HTMLElement}
 */
export function stars({ title, value, onRate, onRemove }) {
  let chosen = value;
  const face = element("span", { class: "stars-face", "aria-hidden": "true" });
  const words = element("span", { class: "stars-words", "aria-hidden": "true" });
  const control = element("div", {
    class: "stars", role: "slider", tabindex: 0, "aria-label": `Your rating of ${title}`, "aria-valuemin": 0, "aria-valuemax": 5,
  }, face, words);

  const show = () => {
    face.style.setProperty("--filled", `${((chosen ?? 0) / 5) * 100}%`);
    const pending = chosen !== value;
    control.classList.toggle("pending", pending);
    control.classList.toggle("rated", value !== null && !pending);
    control.setAttribute("aria-valuenow", String(chosen ?? 0));
    const stated = chosen === null ? "Not rated" : `${chosen} ${chosen === 1 ? "star" : "stars"}`;
    control.setAttribute("aria-valuetext", pending ? `${stated}, press Enter to rate` : stated);
    words.textContent = chosen === null ? "Rate" : chosen.toFixed(1);
  };
  /** @param {number | null} rating */
  const choose = (rating) => {
    chosen = rating;
    show();
  };
  const give = () => {
    if (chosen !== null && chosen !== value) onRate(chosen);
  };

  control.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 0.5, ArrowUp: 0.5, ArrowLeft: -0.5, ArrowDown: -0.5, PageUp: 1, PageDown: -1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // The first arrow starts in the middle rather than at the lowest rating.
    if (step !== undefined) choose(chosen === null ? 3 : Math.min(5, Math.max(0.5, chosen + step)));
    else if (event.key === "Home") choose(0.5);
    else if (event.key === "End") choose(5);
    else if (/^[1-5]$/.test(event.key)) choose(Number(event.key));
    else if (event.key === "Enter" || event.key === " ") give();
    else if (event.key === "Escape" && chosen !== value) choose(value);
    else if ((event.key === "Delete" || event.key === "Backspace") && value !== null && onRemove) onRemove();
    else return;
    event.preventDefault();
  });

  /** @param {PointerEvent} event */
  const under = (event) => {
    const { left, right, width } = face.getBoundingClientRect();
    if (event.clientX < left - 6 || event.clientX > right + 6) return null;
    return Math.min(5, Math.max(0.5, Math.ceil(((event.clientX - left) / width) * 10) / 2));
  };
  let pressed = false;
  control.addEventListener("pointermove", (event) => choose(under(event) ?? value));
  control.addEventListener("pointerleave", () => choose(value));
  control.addEventListener("pointercancel", () => ((pressed = false), choose(value)));
  control.addEventListener("pointerdown", (event) => {
    pressed = event.button === 0;
    if (pressed) choose(under(event) ?? value);
  });
  control.addEventListener("pointerup", (event) => {
    if (pressed) (choose(under(event) ?? value), give());
    pressed = false;
  });
  control.addEventListener("blur", () => choose(value));
  show();
  return control;
}
