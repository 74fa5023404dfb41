// What a link to this page says, so that it can be sent to someone: model, plane, colour, selection, view.

/**
 * @typedef {object} Link
 * @property {string} model
 * @property {string | null} unknownModel what the link calls a model and this page does not know
 * @property {string | null} projection
 * @property {string} colour
 * @property {string | null} user the id of the selected user
 * @property {string | null} movie the id of the selected movie
 * @property {{x: number, y: number, zoom: number} | null} view
 * @property {boolean} plain whether nothing was asked for at all
 */

/** @returns {Link} */
export function readLink() {
  const query = new URLSearchParams(location.search);
  const numbers = (query.get("v") ?? "").split(",").map(Number);
  const whole = numbers.length === 3 && numbers.every(Number.isFinite) && numbers[2] > 0;
  const projection = query.get("p");
  const model = query.get("model");
  return {
    model: model === "current" ? "current" : "course",
    unknownModel: model === null || model === "current" || model === "course" ? null : model,
    projection: projection === "raw" || projection === "scores" ? projection : null,
    colour: query.get("c") === "genre" ? "genre" : "kind",
    user: query.get("u"),
    movie: query.get("m"),
    view: whole ? { x: numbers[0], y: numbers[1], zoom: numbers[2] } : null,
    plain: location.search === "",
  };
}

/** @param {Omit<Link, "plain" | "unknownModel">} link */
export function writeLink({ model, projection, colour, user, movie, view }) {
  const query = new URLSearchParams({ model });
  if (projection !== null) query.set("p", projection);
  if (colour !== "kind") query.set("c", colour);
  if (user !== null) query.set("u", user);
  if (movie !== null) query.set("m", movie);
  if (view !== null) query.set("v", [view.x, view.y, view.zoom].map((value) => Number(value.toPrecision(5))).join(","));
  history.replaceState(null, "", `${location.pathname}?${query}`);
}
