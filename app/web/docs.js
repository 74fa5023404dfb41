// The API docs: the vendored Swagger UI (swagger/README.md) over this service's own /openapi.json.

import { get, keyHeaders } from "./api.js";
import { byId, element } from "./dom.js";
import "./shell.js";

/** @type {any} a global of swagger-ui-bundle.js, which runs before this module */
const SwaggerUIBundle = Reflect.get(window, "SwaggerUIBundle");

/** Swagger UI has a dark look of its own, behind a class on the document element. */
const followTheme = () => document.documentElement.classList.toggle("dark-mode", document.documentElement.dataset.theme === "dark");
document.addEventListener("themechange", followTheme);
followTheme();

try {
  const spec = await get("/openapi.json");
  SwaggerUIBundle({
    spec,
    domNode: byId("swagger"),
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: true,
    validatorUrl: null, // the validator is another host
    syntaxHighlight: { activated: false }, // it would write style attributes, which the content security policy forbids
    /** @param {{headers: Record<string, string>}} request */
    requestInterceptor: (request) => {
      request.headers = { ...keyHeaders(), ...request.headers };
      return request;
    },
  });
} catch (error) {
  byId("swagger").append(element("p", { class: "note bad", role: "alert" }, error instanceof Error ? error.message : String(error)));
}
