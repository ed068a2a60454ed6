// The map: two sides, of which the second shows the year to compare with, left of the divider.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const $ = (id) => document.getElementById(id);
  const { years, ground, colours } = data;
  const DARK = "#202428", LINE = 2.5, PAUSE_MS = 1200;
  const title = (glacier) => glacier.name || glacier.id;
  const byId = new Map(data.glaciers.map((glacier) => [glacier.id, glacier]));

  // Leaflet's plain CRS: latitude is metres north, longitude metres east of the lower left corner.
  const bounds = L.latLngBounds([0, 0], [ground.height, ground.width]);
  const map = L.map("map", {
    crs: L.CRS.Simple, zoomSnap: 0.25, zoomDelta: 0.5, minZoom: -12, maxZoom: Math.log2(8 / ground.pixel),
    maxBounds: bounds.pad(0.5), keyboardPanDelta: 120,
  });
  map.attributionControl.setPrefix("Leaflet").addAttribution(data.attribution);
  L.control.scale({ imperial: false, maxWidth: 160 }).addTo(map);
  if (data.simulated) {
    const mark = L.control({ position: "topright" });
    mark.onAdd = () => Object.assign(document.createElement("div"), { className: "map-mark", textContent: "SIMULATED" });
    mark.addTo(map);
  }
  map.fitBounds(bounds);
  map.setMinZoom(map.getZoom() - 1);
  // On paper the whole ground; browsers lay out a page for print only after the event, so the size is set here.
  const resize = (width, height) => {
    Object.assign(map.getContainer().style, { width, height });
    return map.invalidateSize({ animate: false });
  };
  let view;
  addEventListener("beforeprint", () => {
    view = view || [map.getCenter(), map.getZoom()];
    resize("17cm", "15cm").fitBounds(bounds, { animate: false });
  });
  addEventListener("afterprint", () => { if (view) resize("", "").setView(...view, { animate: false }); view = null; });

  const line = (steps) => {
    const points = [];
    for (let index = 0, x = 0, y = 0; index < steps.length; index += 2)
      points.push([(y += steps[index + 1]), (x += steps[index])]);
    return points;
  };
  const chosen = { year: years[years.length - 1], other: null, glacier: null, scene: "natural" };
  const SCENES = [["natural", "natural colour"], ["false", "false colour"], ["", "none"]];
  {% block layers %}
  const LAYERS = [
    { key: "outline", text: "outline of the year", colour: colours.year, line: true, on: true },
    { key: "old", text: "prior outline", colour: colours.old, line: true },
    { key: "fronts", text: "fronts up to the year", colour: colours.front, line: true, on: true },
    { key: "flow", text: "flow lines", colour: colours.flow, line: true },
    { key: "probability", text: "probability of ice", colour: colours.probability },
    { key: "lost", text: "lost since the first year", colour: colours.lost, picture: "change" },
    { key: "gained", text: "gained since the first year", colour: colours.gained, legend: true },
    { key: "unseen", text: "not observed", colour: colours.unseen, on: true },
  ];
  {% endblock %}
  const shown = {};

  function side(name, order) {
    const pane = map.createPane(name);
    pane.style.zIndex = 300 + order;
    const renderer = L.svg({ pane: name, padding: 0.3 });
    const pictures = {}, shapes = L.layerGroup().addTo(map);
    const picture = (kind, year, visible) => {
      const uri = visible && data.pictures[kind][year];
      if (!uri) {
        if (pictures[kind]) pictures[kind].remove();
      } else if (pictures[kind]) {
        pictures[kind].setUrl(uri).addTo(map);
      } else {
        const zIndex = {% block kinds %}["natural", "false", "probability", "change", "unseen"]{% endblock %}.indexOf(kind);
        pictures[kind] = L.imageOverlay(uri, bounds, { pane: name, zIndex, alt: "" }).addTo(map);
      }
    };
    const outline = (entries, colour, year) => {
      for (const [id, polygons] of entries) {
        if (!polygons.length) continue;
        const points = polygons.map((rings) => rings.map(line));
        L.polygon(points, { renderer, color: DARK, weight: LINE + 2, opacity: 0.7, fill: false, interactive: false }).addTo(shapes);
        const picked = id === chosen.glacier;
        const shape = L.polygon(points, {
          renderer, color: colour, weight: picked ? LINE + 2 : LINE, fillColor: colour, fillOpacity: picked ? 0.2 : 0,
        }).addTo(shapes);
        if (year) hover(shape, id, year);
        else shape.bindTooltip(() => `${title(byId.get(id) || { id })}: prior outline`, { sticky: true });
      }
    };
    const fronts = (year) => {
      for (const [id, when, steps, retreat, sigma] of data.fronts) {
        if (when > year) continue;
        const now = when === year, points = line(steps);
        if (now) L.polyline(points, { renderer, color: DARK, weight: 6, interactive: false }).addTo(shapes);
        const text = `${title(byId.get(id) || { id })}: front of ${data.dates[when] || when}, ` +
          `${numberText(retreat, 0)} \u00b1 ${numberText(sigma, 0)} m behind the first`;
        L.polyline(points, { renderer, color: colours.front, weight: now ? 4 : 2, opacity: now ? 1 : 0.6 })
          .bindTooltip(text, { sticky: true }).addTo(shapes);
      }
    };
    return {
      pane,
      show(year) {
        const visible = year !== null;
        pane.style.display = visible ? "" : "none";
        for (const [kind] of SCENES.slice(0, 2)) picture(kind, year, visible && chosen.scene === kind);
        {% block shown %}
        for (const kind of ["probability", "unseen"]) picture(kind, year, visible && shown[kind]);
        picture("change", year, visible && shown.lost);
        shapes.clearLayers();
        if (!visible) return;
        if (shown.flow) for (const steps of data.flow)
          L.polyline(line(steps), { renderer, color: colours.flow, dashArray: "6 5", weight: 2, interactive: false }).addTo(shapes);
        if (shown.old) outline(data.old, colours.old, null);
        if (shown.outline) outline(data.outlines[year] || [], colours.year, year);
        if (shown.fronts) fronts(year);
        {% endblock %}
      },
    };
  }

  {% block area_text %}
  function areaText(glacier, year) {
    const point = glacier.points.find((each) => each.year === year);
    return point ? pointText(point, glacier, "km\u00b2") : `${year}: no area`;
  }
  {% endblock %}
  function hover(shape, id, year) {
    const glacier = byId.get(id);
    if (!glacier) return;
    const text = document.createElement("div"), name = document.createElement("strong");
    name.textContent = title(glacier);
    text.append(name, document.createElement("br"), areaText(glacier, year));
    shape.bindTooltip(text, { sticky: true });
    shape.on("mouseover", () => shape.setStyle({ weight: LINE + 2 }));
    shape.on("mouseout", () => shape.setStyle({ weight: id === chosen.glacier ? LINE + 2 : LINE }));
    shape.on("click", () => select(id));
  }
  const right = side("year-side", 0), left = side("other-side", 1);

  function clip() {
    const size = map.getSize(), corner = map.containerPointToLayerPoint([0, 0]), split = chosen.other !== null;
    const x = corner.x + (size.x * $("swipe").value) / 100;
    const end = map.containerPointToLayerPoint(size);
    const box = (from, to) => `rect(${corner.y}px, ${to}px, ${end.y}px, ${from}px)`;
    left.pane.style.clip = split ? box(corner.x, x) : "";
    right.pane.style.clip = split ? box(x, end.x) : "";
    $("divider").hidden = $("swipe").hidden = !split;
    $("divider").style.left = `${$("swipe").value}%`;
  }
  map.on("move zoom resize viewreset zoomend", clip);
  $("swipe").addEventListener("input", clip);

  const markers = [];
  let glacierMarks = [];
  function refresh() {
    {% block sides %}
    right.show(chosen.year);
    left.show(chosen.other);
    {% endblock %}
    const date = data.dates[chosen.year];
    $("year").value = years.indexOf(chosen.year);
    $("year").setAttribute("aria-valuetext", date || chosen.year);
    $("year-text").textContent = date || chosen.year;
    {% block labels %}
    $("left-year").textContent = chosen.other;
    $("right-year").textContent = chosen.year;
    {% endblock %}
    for (const mark of [...markers, ...glacierMarks]) mark(chosen.year);
    const now = $("glacier-now"), glacier = byId.get(chosen.glacier);
    if (now) now.textContent = changeText(glacier);
    clip();
  }
  const setYear = (year) => {
    chosen.year = year;
    refresh();
  };
  $("year").addEventListener("input", () => setYear(years[$("year").value]));
  $("other").addEventListener("change", () => {
    {% block other %}
    chosen.other = $("other").value === "" ? null : Number($("other").value);
    {% endblock %}
    refresh();
  });
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    $("play").textContent = "Play";
    $("play").setAttribute("aria-pressed", "false");
  };
  $("play").addEventListener("click", () => {
    if (timer) return stop();
    const next = () => setYear(years[(years.indexOf(chosen.year) + 1) % years.length]);
    timer = setInterval(next, PAUSE_MS);
    $("play").textContent = "Pause";
    $("play").setAttribute("aria-pressed", "true");
    next();
  });
  $("play").disabled = $("year").disabled = years.length < 2;

  function option(holder, { type, text, colour, line: thin, checked }, onChange) {
    const label = document.createElement("label"), input = document.createElement("input");
    Object.assign(input, { type, checked, name: type === "radio" ? "scene" : "" });
    input.addEventListener("change", onChange(input));
    label.append(input);
    if (colour) {
      const swatch = document.createElement("span");
      swatch.className = thin ? "swatch line" : "swatch";
      swatch.style.background = colour;
      label.append(swatch);
    }
    label.append(text);
    holder.append(label);
    return input;
  }
  const has = (kind) => Object.keys(data.pictures[kind]).length > 0;
  {% block can_show %}
  const canShow = {
    outline: true, old: data.old.length, fronts: data.fronts.length, flow: data.flow.length, probability: true,
    lost: has("change"), gained: has("change"), unseen: true,
  };
  {% endblock %}
  for (const [key, text] of SCENES)
    if (!key || has(key))
      option($("scene-layers"), { type: "radio", text, checked: key === chosen.scene }, () => () => {
        chosen.scene = key;
        refresh();
      }).id = `scene-${key || "none"}`;
  for (const layer of LAYERS) {
    if (!canShow[layer.key] || layer.legend) continue;
    shown[layer.key] = Boolean(layer.on);
    const text = layer.key === "lost" ? "ground lost and gained" : layer.text;
    const input = option($("layers"), { type: "checkbox", text, colour: layer.colour, line: layer.line, checked: layer.on },
      (box) => () => {
        shown[layer.key] = box.checked;
        refresh();
      });
    input.id = `layer-${layer.key}`;
    if (layer.key === "lost") {
      const swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.style.background = colours.gained;
      input.nextSibling.after(swatch);
    }
  }

  function changeText(glacier) {
    const change = glacier.changes[chosen.year];
    if (!change) return "";
    const [lost, gained] = [change.lost, change.gained].map((area) => numberText(area, 2));
    return `Ground from ${change.from} to ${chosen.year}, from the images alone: ${lost} km\u00b2 lost, ${gained} km\u00b2 gained.`;
  }
  function paragraph(text) {
    const node = document.createElement("p");
    node.textContent = text;
    $("glacier").append(node);
    return node;
  }
  function select(id, { zoom = false } = {}) {
    const glacier = byId.get(id);
    chosen.glacier = glacier ? id : null;
    glacierMarks = [];
    $("glacier").replaceChildren();
    if (glacier) {
      const heading = document.createElement("h3");
      heading.textContent = title(glacier);
      $("glacier").append(heading);
      if (glacier.name && glacier.name !== glacier.id) paragraph(glacier.id);
      {% block panel %}
      glacierMarks.push(chart($("glacier"), glacier, { unit: "km\u00b2", label: `Area of ${title(glacier)} by year`, onYear: setYear }));
      if (glacier.trend) paragraph(`${glacier.trend}.`);
      paragraph("").id = "glacier-now";
      if (glacier.fronts) {
        paragraph("Retreat of the front since the first year:");
        glacierMarks.push(chart($("glacier"), glacier.fronts, { unit: "m", label: `Retreat of the front of ${title(glacier)}`, onYear: setYear }));
      }
      if (glacier.front) paragraph(`${glacier.front}.`);
      {% endblock %}
      if (zoom) zoomTo(id);
    } else {
      paragraph("Click a glacier, or find it by its name, for its own series.");
    }
    refresh();
  }
  function zoomTo(id) {
    const entries = [...(data.outlines[chosen.year] || []), ...data.old].filter(([each]) => each === id);
    const points = entries.flatMap(([, polygons]) => polygons.map((rings) => line(rings[0])));
    if (points.length) map.fitBounds(L.latLngBounds(points.flat()).pad(0.3));
  }
  for (const glacier of data.glaciers) {
    const choice = document.createElement("option");
    choice.value = title(glacier);
    if (glacier.name) choice.label = glacier.id;
    $("glacier-names").append(choice);
  }
  $("search").addEventListener("input", () => {
    const text = $("search").value.trim().toLowerCase();
    const match = data.glaciers.find((each) => [each.id, title(each)].some((name) => name.toLowerCase() === text));
    if (match) select(match.id, { zoom: true });
  });

  // Where a point of the ground lies on Earth: between the four nearest of the directions in `globe`.
  function position(x, y) {
    const count = Math.sqrt(data.globe.length) - 1;
    const at = (share) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    const u = x / ground.width, v = y / ground.height, column = at(u), row = at(v);
    const fx = u * count - column, fy = v * count - row;
    const corner = (dr, dc) => data.globe[(row + dr) * (count + 1) + column + dc];
    const [a, b, c] = [0, 1, 2].map((axis) =>
      (1 - fy) * ((1 - fx) * corner(0, 0)[axis] + fx * corner(0, 1)[axis]) +
      fy * ((1 - fx) * corner(1, 0)[axis] + fx * corner(1, 1)[axis]));
    return [(Math.atan2(c, Math.hypot(a, b)) * 180) / Math.PI, (Math.atan2(b, a) * 180) / Math.PI];
  }
  map.on("mousemove", ({ latlng }) => {
    const [lat, lon] = position(latlng.lng, latlng.lat);
    const degrees = (value, [plus, minus]) => `${Math.abs(value).toFixed(5)}\u00b0 ${value < 0 ? minus : plus}`;
    const metres = (value) => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
    $("coordinates").textContent = `${degrees(lat, "NS")}, ${degrees(lon, "EW")} \u00b7 ` +
      `${metres(ground.left + latlng.lng)} m E, ${metres(ground.bottom + latlng.lat)} m N (${data.crs})`;
  });

  {% block site %}
  markers.push(chart($("area-chart"), data.site, { unit: "km\u00b2", label: "Glacier area by year", onYear: setYear }));
  {% endblock %}
  select(null);
})();
