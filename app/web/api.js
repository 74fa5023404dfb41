// The one module that fetches. Answers are JSON; errors are RFC 9457 problems and arrive as ApiError.
//
//   import { get, put, remove, post, getBytes, ApiError } from "/static/api.js";
//   const page = await get("/v1/users", { q: "42", limit: 50 }, signal);
//   const { buffer, etag } = await getBytes("/v1/map/points", { model: "course" });
//
// A 401 asks for the API key in a dialog, keeps it for this tab (sessionStorage) and repeats the request.

import { element } from "./dom.js";

const KEY = "projectionist-api-key";

/**
 * @typedef {{type?: string, title?: string, status?: number, detail?: string,
 *            errors?: {field: string, code: string, message: string}[]}} Problem
 */

/** A request that did not succeed. `status` is 0 when the server could not be reached. */
export class ApiError extends Error {
  /** @param {number} status @param {Problem} problem */
  constructor(status, problem) {
    super(problem.detail || problem.title || `The server answered ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
    this.title = problem.title || (status === 0 ? "No connection" : `Error ${status}`);
    this.detail = problem.detail || "";
  }
}

/** @typedef {Record<string, string | number | boolean | null | undefined>} Query */

/** @param {string} path @param {Query} [query] @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function get(path, query, signal) {
  return (await send("GET", path, { query, signal })).json();
}

/** @param {string} path @param {unknown} body @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function put(path, body, signal) {
  return jsonOrNull(await send("PUT", path, { body, signal }));
}

/** @param {string} path @param {unknown} body @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function post(path, body, signal) {
  return jsonOrNull(await send("POST", path, { body, signal }));
}

/** DELETE. @param {string} path @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function remove(path, signal) {
  return jsonOrNull(await send("DELETE", path, { signal }));
}

/**
 * A binary answer and its ETag.
 * @param {string} path @param {Query} [query] @param {AbortSignal} [signal]
 * @returns {Promise<{buffer: ArrayBuffer, etag: string | null}>}
 */
export async function getBytes(path, query, signal) {
  const response = await send("GET", path, { query, signal, accept: "application/octet-stream" });
  return { buffer: await response.arrayBuffer(), etag: response.headers.get("ETag") };
}

/** Headers that carry the key of this tab, if there is one (the docs page uses them too). @returns {Record<string, string>} */
export function keyHeaders() {
  const key = sessionStorage.getItem(KEY);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** One id as a path segment. @param {string} id */
export function segment(id) {
  return encodeURIComponent(id);
}

/** @param {Response} response */
async function jsonOrNull(response) {
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{query?: Query, body?: unknown, signal?: AbortSignal, accept?: string}} options
 * @returns {Promise<Response>}
 */
async function send(method, path, options) {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  for (let attempt = 0; ; attempt += 1) {
    const used = keyHeaders().Authorization;
    const response = await attemptOnce(method, url, options);
    if (response.ok) return response;
    const error = await toError(response);
    // Another request may have got the key meanwhile: then try with that one before asking again.
    const renewed = keyHeaders().Authorization !== used;
    if (response.status !== 401 || attempt > 4 || (!renewed && !(await askForKey(error)))) throw error;
  }
}

/**
 * @param {string} method @param {URL} url
 * @param {{body?: unknown, signal?: AbortSignal, accept?: string}} options
 */
async function attemptOnce(method, url, options) {
  /** @type {Record<string, string>} */
  const headers = { Accept: options.accept ?? "application/json", ...keyHeaders() };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  try {
    return await fetch(url, { method, headers, body, signal: options.signal });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, {
      title: "The server cannot be reached",
      detail: "Is Projectionist still running? The page keeps what it shows; try again when it is back.",
    });
  }
}

/** @param {Response} response */
async function toError(response) {
  /** @type {Problem} */
  let problem = {};
  try {
    const body = await response.json();
    if (body && typeof body === "object") problem = body;
  } catch {
    // Not JSON: a proxy's page, perhaps. The status has to say it.
  }
  return new ApiError(response.status, { title: response.statusText, ...problem });
}

/** @type {Promise<boolean> | null} one dialog for all requests that wait for the key */
let asking = null;
/** When the visitor last declined: what the page still had to fetch then does not ask again. */
let declined = -Infinity;

/** @param {ApiError} error @returns {Promise<boolean>} whether a key was given */
function askForKey(error) {
  if (asking === null && performance.now() - declined < 2000) return Promise.resolve(false);
  asking ??= new Promise((resolve) => {
    const field = element("input", {
      class: "field", type: "password", name: "key", id: "api-key", autocomplete: "off", required: true,
    });
    const refused = sessionStorage.getItem(KEY) !== null;
    const dialog = element("dialog", { "aria-labelledby": "api-key-title" },
      element("form", { method: "dialog" },
        element("h2", { id: "api-key-title" }, "This server asks for a key"),
        element("p", { class: "dim" }, refused ? "The key was not accepted. " + error.detail : error.detail),
        element("label", { for: "api-key" }, "API key"), field,
        element("p", { class: "dim small" }, "Kept in this tab only, until it is closed."),
        element("div", { class: "actions" },
          element("button", { class: "button", type: "button", onclick: () => dialog.close("") }, "Cancel"),
          element("button", { class: "button primary", value: "given" }, "Use this key"))));
    dialog.addEventListener("close", () => {
      const given = dialog.returnValue === "given" && field.value.trim() !== "";
      if (given) sessionStorage.setItem(KEY, field.value.trim());
      else declined = performance.now();
      dialog.remove();
      asking = null;
      resolve(given);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}
