"use strict";
// Draws the OpenAPI document. A file of its own: the page allows no script inside its markup.
(function () {
  const at = document.getElementById("docs");
  window.SwaggerUIBundle({
    url: at.dataset.document,
    domNode: at,
    deepLinking: true,
    validatorUrl: null,
    docExpansion: "list",
    presets: [window.SwaggerUIBundle.presets.apis],
  });
})();
