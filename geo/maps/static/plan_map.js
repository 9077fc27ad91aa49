/* The map page of a plan: labels, title card, search, category choice, legend.
   Every text from data goes through textContent, never through markup. */
function wanggeMap(map, layers) {
  "use strict";

  var config = JSON.parse(document.getElementById("wg-config").textContent);
  var words = config.words;

  function el(tag, className, text) {
    var node = document.createElement(tag);
    if (className) { node.className = className; }
    if (text !== undefined) { node.textContent = text; }
    return node;
  }

  function corner(position, node) {
    var control = L.control({ position: position });
    control.onAdd = function () {
      L.DomEvent.disableClickPropagation(node);
      L.DomEvent.disableScrollPropagation(node);
      return node;
    };
    control.addTo(map);
  }

  /* ---- title card ---- */

  function titleCard() {
    var card = el("section", "wg-card wg-title");
    card.appendChild(el("h1", "", config.title));
    var list = el("dl");
    config.figures.forEach(function (figure) {
      var item = el("div");
      item.appendChild(el("dt", "", figure[0]));
      item.appendChild(el("dd", "", figure[1]));
      list.appendChild(item);
    });
    card.appendChild(list);
    card.appendChild(searchForm());
    return card;
  }

  /* ---- search by grid code or name ---- */

  function searchForm() {
    /* No form: a sandboxed frame sends none, and tells nobody. */
    var form = el("div", "wg-search");
    form.setAttribute("role", "search");
    var label = el("label", "", words["search"]);
    label.htmlFor = "wg-search-input";
    var input = el("input");
    input.id = "wg-search-input";
    input.type = "search";
    input.autocomplete = "off";
    input.placeholder = words["search-hint"];
    input.setAttribute("list", "wg-search-codes");
    var codes = el("datalist");
    codes.id = "wg-search-codes";
    config.search.forEach(function (row) {
      var option = el("option");
      option.value = row[0];
      option.label = row[1];
      codes.appendChild(option);
    });
    var go = el("button", "", words["search-go"]);
    go.type = "button";
    var row = el("div", "wg-search-row");
    [input, go].forEach(function (node) { row.appendChild(node); });
    var status = el("p", "wg-status");
    status.setAttribute("role", "status");
    [label, row, codes, status].forEach(function (node) { form.appendChild(node); });

    go.addEventListener("click", function () { look(input.value, status); });
    input.addEventListener("input", function () {
      if (exact(input.value).length === 1) { look(input.value, status); }
    });
    form.addEventListener("keydown", function (event) {
      if (event.key === "Escape") { forget(); input.value = ""; status.textContent = ""; }
      if (event.key === "Enter" && event.target === input) { look(input.value, status); }
    });
    return form;
  }

  function matching(test) {
    var hits = [];
    config.search.forEach(function (row, position) {
      if (test(row[0].toLowerCase()) || test(row[1].toLowerCase())) { hits.push(position); }
    });
    return hits;
  }

  function exact(text) {
    var wanted = text.trim().toLowerCase();
    return wanted ? matching(function (value) { return value === wanted; }) : [];
  }

  function look(text, status) {
    var wanted = text.trim().toLowerCase();
    forget();
    if (!wanted) { status.textContent = ""; return; }
    var hits = exact(wanted);
    if (!hits.length) { hits = matching(function (value) { return value.endsWith(wanted); }); }
    if (!hits.length) { hits = matching(function (value) { return value.indexOf(wanted) >= 0; }); }
    if (!hits.length) { status.textContent = words["search-none"] + text.trim(); return; }
    if (hits.length > 1) {
      status.textContent = words["search-many"] + hits.length;
      show(hits);
      return;
    }
    status.textContent = words["search-found"] + config.search[hits[0]][0];
    show(hits);
  }

  var found = L.featureGroup().addTo(map);
  var byId = {};
  layers.grids.eachLayer(function (layer) { byId[layer.feature.id] = layer; });

  function show(hits) {
    hits.slice(0, 200).forEach(function (position) {
      L.geoJSON(byId[position].feature, {
        pane: "wg-found",
        interactive: false,
        style: { fill: false, color: "#111827", weight: 4, className: "wg-found" }
      }).addTo(found);
    });
    lookAt(found.getBounds(), 17);
  }

  function forget() { found.clearLayers(); }

  /* ---- stations: a badge with the first character of the category ---- */

  function badge(layer) {
    var node = layer.getElement();
    var category = config.categories[layer.feature.properties.kind];
    if (node && category) { node.textContent = Array.from(category.name)[0]; }
  }

  if (layers.stations) {
    layers.stations.eachLayer(function (layer) {
      badge(layer);
      layer.on("add", function () { badge(layer); });
    });
  }

  /* ---- service category ---- */

  function serviceCard() {
    var card = el("section", "wg-card wg-service");
    var label = el("label", "", words["service"]);
    label.htmlFor = "wg-service-select";
    var select = el("select");
    select.id = "wg-service-select";
    [[-1, words["service-all"]]].concat(config.categories.map(function (category, k) {
      return [k, category.name];
    })).forEach(function (row) {
      var option = el("option", "", row[1]);
      option.value = row[0];
      select.appendChild(option);
    });
    var figures = el("p", "wg-figures");
    figures.setAttribute("role", "status");
    [label, select, figures].forEach(function (node) { card.appendChild(node); });
    var stock = {};
    ["stations", "circles", "isochrones"].forEach(function (name) {
      if (layers[name]) { stock[name] = layers[name].getLayers(); }
    });

    function choose() {
      var kind = Number(select.value);
      Object.keys(stock).forEach(function (name) {
        stock[name].forEach(function (layer) {
          var of = layer.feature.properties;
          var fits = kind < 0 || of.kind === kind;
          if (fits !== layers[name].hasLayer(layer)) {
            if (fits) { layers[name].addLayer(layer); } else { layers[name].removeLayer(layer); }
          }
        });
      });
      shade(kind);
      figures.textContent = [kind < 0 ? "" : describe(config.categories[kind]), drawGaps(kind)]
        .filter(Boolean).join("\n");
    }

    var worst = -1;
    config.categories.forEach(function (category, k) {
      if (category.households === undefined) { return; }
      var gap = category.households - category.covered;
      if (worst < 0 || gap > config.categories[worst].households - config.categories[worst].covered) { worst = k; }
    });
    select.value = worst;
    select.addEventListener("change", function () {
      choose();
      if (layers.stations) { layers.stations.addTo(map); }
    });
    choose();
    return card;
  }

  function describe(category) {
    if (category.households === undefined) { return ""; }
    var share = category.households ? (100 * category.covered / category.households).toFixed(1) + "%" : "–";
    return words["covered"] + " " + category.covered.toLocaleString("en") + " / " +
      category.households.toLocaleString("en") + " " + words["unit-hh"] + " (" + share + ")\n" +
      words[category.walk ? "walk-limit" : "radius"] + " " + category.radius.toLocaleString("en") + " " +
      words["unit-m"] + (category.walk ? "\n" + describeWalk(category) : "");
  }

  function describeWalk(category) {
    function households(count) { return count.toLocaleString("en") + " " + words["unit-hh"]; }
    return [
      words["circle-claims"] + " " + households(category.claims),
      words["undecided"] + " " + households(category.off_network + category.island),
      words["sketch-error"] + " " + households(category.inside_not_reached) + " / " +
        households(category.outside_reached)
    ].join("\n");
  }

  /* ---- buildings by walking minutes to the chosen category; of all categories the farthest ---- */

  var shown = -1;

  function walk(row) {
    if (shown >= 0) { return row[2][shown]; }
    return row[2].indexOf(-1) >= 0 ? -1 : Math.max.apply(null, row[2]);
  }

  function reachFill(minutes) {
    if (minutes < 0) { return config.reach.unknown; }
    var band = 0;
    while (band < config.reach.breaks.length && minutes > config.reach.breaks[band]) { band += 1; }
    return config.reach.fills[band];
  }

  function shade(kind) {
    shown = kind;
    if (!layers.reach) { return; }
    layers.reach.eachLayer(function (layer) {
      layer.setStyle({ fillColor: reachFill(walk(config.reach.rows[layer.feature.id])) });
    });
  }

  function reachTip(layer) {
    var row = config.reach.rows[layer.feature.id];
    var minutes = walk(row);
    return tipTable([
      ["building", row[0]],
      ["households", row[1].toLocaleString("en")],
      ["minutes", minutes < 0 ? words["no-way"] : minutes.toFixed(1) + " " + words["unit-min"]]
    ]);
  }

  if (layers.reach) {
    layers.reach.bindTooltip(reachTip, { sticky: true, className: "wg-tip foliumtooltip", opacity: 1 });
  }

  /* ---- legend ---- */

  function legendCard() {
    var card = el("details", "wg-card wg-legend");
    card.open = map.getSize().x >= 760 && map.getSize().y >= 520;
    card.appendChild(el("summary", "", words["legend"]));
    config.legend.forEach(function (row) {
      var line = el("div", "wg-row");
      line.appendChild(swatch(row));
      var text = el("span", "wg-text", row.text);
      text.appendChild(el("small", "", row.other));
      line.appendChild(text);
      card.appendChild(line);
      if (row.steps) { card.appendChild(ramp(row)); }
    });
    return card;
  }

  function swatch(row) {
    var box = el("span", "wg-swatch wg-" + row.kind);
    if (row.kind === "fills") {
      row.colours.forEach(function (colour) {
        var part = el("i");
        part.style.background = colour;
        box.appendChild(part);
      });
    } else {
      box.style.color = row.colours[0];
    }
    return box;
  }

  function ramp(row) {
    var strip = el("div", "wg-steps");
    row.steps.forEach(function (step, k) {
      var part = el("span");
      var colour = el("i");
      colour.style.background = row.colours[k];
      part.appendChild(colour);
      part.appendChild(el("small", "", step));
      strip.appendChild(part);
    });
    return strip;
  }

  /* ---- labels: a number is shown once the grid has room for it ---- */

  function labelLayer(rows, className, fits) {
    var shown = {};
    function marker(row) {
      var text = el("span", "", row[3]);
      return L.marker([row[0], row[1]], {
        pane: "wg-labels",
        interactive: false,
        keyboard: false,
        icon: L.divIcon({ className: className, html: text, iconSize: null })
      });
    }
    return function () {
      var view = map.getBounds().pad(0.1);
      var scale = Math.pow(2, map.getZoom());
      rows.forEach(function (row, k) {
        var wanted = fits(row, row[2] * scale) && view.contains([row[0], row[1]]);
        if (wanted && !shown[k]) { shown[k] = marker(row).addTo(map); }
        if (!wanted && shown[k]) { shown[k].remove(); delete shown[k]; }
      });
    };
  }

  var middle = config.labels.map(function (row) { return row[2]; }).sort(function (a, b) { return a - b; });
  var typical = middle[Math.floor(middle.length / 2)];
  function numbersRule() { return typical * Math.pow(2, map.getZoom()) >= 10; }

  /* From afar the communities are named, from near the grids are numbered: never both. */
  var numbers = labelLayer(config.labels, "wg-number", function (row, radius) {
    return numbersRule() && map.hasLayer(layers.grids) && radius >= 4 + 3 * row[3].length;
  });
  var names = labelLayer(config.names, "wg-name", function (row, radius) {
    return !numbersRule() && radius >= 14 + 2.2 * row[3].length;
  });
  function label() { numbers(); names(); }

  /* ---- lines thinner and gaps smaller from afar ---- */

  function resize() {
    var near = Math.min(1, Math.max(0.5, typical * Math.pow(2, map.getZoom()) / 14));
    layers.communities.setStyle({ weight: 2 * near });
    if (layers.out) { layers.out.setStyle({ weight: 2.4 * near }); }
    var share = gapShare();
    gapMarks.forEach(function (mark) { mark.setRadius(mark.options.whole * share); });
  }

  function gapShare() { return Math.min(1, Math.max(0.4, 1 - (16 - map.getZoom()) * 0.2)); }

  /* ---- gaps: buildings out of reach of the chosen category, most households first ---- */

  var GAPS_DRAWN = 5000;
  var gapMarks = [];

  function drawGaps(kind) {
    if (!layers.gaps) { return ""; }
    var rows = config.gaps.filter(function (row) { return kind < 0 || row[4].indexOf(kind) >= 0; });
    var share = gapShare();
    layers.gaps.clearLayers();
    gapMarks = rows.slice(0, GAPS_DRAWN).map(function (row) {
      var whole = Math.min(11, 2 + 0.45 * Math.sqrt(row[2]));
      return L.circleMarker([row[0], row[1]], {
        pane: "wg-gaps", row: row, whole: whole, radius: whole * share,
        fillColor: config["gap-colour"], fillOpacity: 0.55, color: "#ffffff", weight: 0.8
      }).addTo(layers.gaps);
    });
    return rows.length > gapMarks.length ? words["gaps-drawn"] + " " +
      gapMarks.length.toLocaleString("en") + " / " + rows.length.toLocaleString("en") : "";
  }

  function gapTip(layer) {
    var row = layer.options.row;
    var missing = row[4].map(function (kind) { return config.categories[kind].name; });
    return tipTable([
      ["building", row[3]],
      ["households", row[2].toLocaleString("en")],
      ["missing", missing.join(words["list-mark"])]
    ]);
  }

  function tipTable(pairs) {
    var table = el("table");
    pairs.forEach(function (pair) {
      var line = el("tr");
      line.appendChild(el("th", "", words[pair[0]]));
      line.appendChild(el("td", "", pair[1]));
      table.appendChild(line);
    });
    return table;
  }

  if (layers.gaps) {
    layers.gaps.bindTooltip(gapTip, { sticky: true, className: "wg-tip foliumtooltip", opacity: 1 });
  }

  /* ---- put together ---- */

  function room() {
    var wide = map.getSize().x >= 760;
    return { topLeft: wide ? [284, 24] : [24, 24], bottomRight: wide ? [284, 24] : [24, 24] };
  }

  if (map.getSize().x < 760) {
    layers.switches.remove();
    layers.switches.options.collapsed = true;
    layers.switches.addTo(map);
  }
  /* Without animation: Leaflet ignores a second move while it still animates the first. */
  function lookAt(bounds, maxZoom) {
    map.fitBounds(bounds, {
      animate: false, maxZoom: maxZoom, paddingTopLeft: room().topLeft, paddingBottomRight: room().bottomRight
    });
  }

  corner("topleft", titleCard());
  L.control.zoom({
    position: "topleft", zoomInTitle: words["zoom-in"], zoomOutTitle: words["zoom-out"]
  }).addTo(map);
  if (config.categories.length) { corner("topright", serviceCard()); }
  L.control.scale({ position: "bottomleft", imperial: false }).addTo(map);
  corner("bottomright", legendCard());

  /* A frame may get its size late: the plan is fitted again until somebody moves the map. */
  var touched = false;
  ["mousedown", "touchstart", "wheel", "keydown"].forEach(function (name) {
    map.getContainer().addEventListener(name, function () { touched = true; }, { passive: true });
  });
  map.on("resize", function () { if (!touched) { lookAt(config.bounds, 19); } });

  lookAt(config.bounds, 19);
  resize();
  map.on("zoomend", resize);
  map.on("moveend zoomend overlayadd overlayremove", label);
  label();
}
