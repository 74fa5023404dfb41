// The user picker: a combobox (WAI-ARIA 1.2) over GET /v1/users. Any text that is not a known id offers a new visitor.

import { ApiError, get } from "../api.js";
import { element } from "../dom.js";

/** @typedef {{user_id: string, attributes: Record<string, unknown>, n_ratings: number}} User */

/** What the data says of a user, in words. @param {User} user */
export function tastesOf(user) {
  const { tastes } = user.attributes;
  if (typeof tastes === "string") return tastes;
  return Object.entries(user.attributes)
    .filter(([, value]) => typeof value === "string" || typeof value === "number")
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");
}

/** @param {number} count */
export function ratingsInWords(count) {
  return count === 1 ? "1 rating" : `${count.toLocaleString("en")} ratings`;
}

/**
 * @param {HTMLElement} place
 * @param {(userId: string) => void} onPick
 * @returns {{show: (userId: string) => void, focus: () => void}}
 */
export function picker(place, onPick) {
  const list = element("ul", { class: "options", id: "user-options", role: "listbox", "aria-label": "Users", hidden: true });
  const input = element("input", {
    class: "picker-input", id: "user", role: "combobox", type: "text", autocomplete: "off", spellcheck: "false",
    "aria-expanded": "false", "aria-controls": "user-options", "aria-autocomplete": "list", maxlength: 128,
    placeholder: "choose, or type any name",
  });
  place.append(input, list);

  let current = "";
  let active = -1;
  /** @type {string | null} */
  let cursor = null;
  let asked = new AbortController();
  let timer = 0;

  const options = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=option]")]);

  /** @param {boolean} open */
  const toggle = (open) => {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) mark(-1);
  };
  /** @param {number} index */
  const mark = (index) => {
    active = index;
    options().forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    const option = options()[index];
    if (option) {
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  /** @param {string} userId */
  const pick = (userId) => {
    toggle(false);
    current = userId;
    input.value = userId;
    onPick(userId);
  };

  /** @param {string} id @param {(Node | string)[]} words */
  const option = (id, ...words) => {
    const made = element("li", { role: "option", id: `user-option-${options().length}`, "aria-selected": "false", "data-user": id }, ...words);
    made.addEventListener("pointerdown", (event) => event.preventDefault());
    made.addEventListener("click", () => pick(id));
    list.append(made);
  };

  /** @param {string} query @param {boolean} further */
  const fill = async (query, further) => {
    asked.abort();
    asked = new AbortController();
    try {
      const page = await get("/v1/users", { q: query, limit: 50, cursor: further ? cursor : null }, asked.signal);
      if (!further) list.replaceChildren();
      for (const user of /** @type {User[]} */ (page.users)) {
        option(user.user_id, element("b", { dir: "auto" }, user.user_id),
          element("span", { class: "option-tastes", dir: "auto" }, tastesOf(user)),
          element("span", { class: "option-count" }, ratingsInWords(user.n_ratings)));
      }
      cursor = page.next_cursor;
      const exact = options().some((known) => known.dataset.user === query);
      if (query !== "" && !exact && !further) {
        option(query, element("span", {}, "New visitor ", element("b", { dir: "auto" }, query)));
      }
      if (options().length === 0) list.append(element("li", { class: "dim" }, "No users yet: type a name to start."));
    } catch (error) {
      if (!(error instanceof ApiError)) return; // aborted by the next key
      list.replaceChildren(element("li", { class: "note bad" }, `${error.title}. ${error.detail}`));
    }
  };

  const open = () => {
    if (!list.hidden) return;
    toggle(true);
    void fill(input.value === current ? "" : input.value.trim(), false);
  };

  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", open);
  input.addEventListener("input", () => {
    toggle(true);
    mark(-1);
    clearTimeout(timer);
    timer = setTimeout(() => void fill(input.value.trim(), false), 120);
  });
  input.addEventListener("blur", () => {
    toggle(false);
    input.value = current;
  });
  list.addEventListener("scroll", () => {
    const atEnd = list.scrollTop + list.clientHeight > list.scrollHeight - 80;
    if (atEnd && cursor !== null) {
      const query = input.value === current ? "" : input.value.trim();
      void fill(query, true);
      cursor = null; // asked for once; the answer brings the next
    }
  });
  input.addEventListener("keydown", (event) => {
    const count = options().length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) open();
      else if (count > 0) mark((active + (event.key === "ArrowDown" ? 1 : -1) + count + (active < 0 && event.key === "ArrowUp" ? 1 : 0)) % count);
    } else if (event.key === "Enter") {
      const chosen = options()[active]?.dataset.user ?? input.value.trim();
      if (chosen !== "") pick(chosen);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      toggle(false);
      input.value = current;
    }
  });

  return {
    show: (userId) => {
      current = userId;
      input.value = userId;
    },
    focus: () => input.focus(),
  };
}
