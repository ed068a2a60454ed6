// A chart of yearly values with intervals. It answers on hover, and to the arrow keys when it has the focus.
"use strict";
const MINUS = "\u2212";
const numberText = (value, digits) => {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", MINUS);
};
const interval = (low, high, digits) => `${numberText(low, digits)} to ${numberText(high, digits)}`;
const pointText = (point, series, unit) => {
  const { digits } = series, known = (value) => value !== null && value !== undefined;
  let text = `${point.year}: ${numberText(point.value, digits)} ${unit}`;
  if (known(point.low95)) text += ` (95 %: ${interval(point.low95, point.high95, digits)})`;
  else if (known(point.low)) text += ` (68 %: ${interval(point.low, point.high, digits)})`;
  if (known(point.truth)) text += `; true area ${numberText(point.truth, digits)}`;
  if (known(point.unseen) && Number(point.unseen.toFixed(digits)) > 0)
    text += `; ${numberText(point.unseen, digits)} ${unit} of the prior outline unseen`;
  return text;
};

function niceTicks([bottom, top], count) {
  const rough = (top - bottom) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const ticks = [];
  for (let tick = Math.ceil(bottom / step); tick * step <= top; tick += 1) ticks.push(tick * step);
  return { ticks, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

// Draws `series` ({points, axis, digits}) into `holder` and returns a function that marks a year.
function chart(holder, series, { unit, label, onYear }) {
  const SVG = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(SVG, "svg"), readout = document.createElement("p");
  svg.setAttribute("class", "chart");
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${label}. Arrow keys read the years.`);
  readout.className = "readout";
  readout.setAttribute("role", "status");
  holder.append(svg, readout);
  const points = series.points, first = points[0].year, last = points[points.length - 1].year;
  let current = points.length - 1, place = {};
  const add = (kind, attributes, text) => {
    const node = document.createElementNS(SVG, kind);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    svg.append(node);
    return node;
  };
  const mark = (index) => {
    current = index;
    const point = points[index];
    svg.querySelector(".here").setAttribute("cx", place.x(point.year));
    svg.querySelector(".here").setAttribute("cy", place.y(point.value));
    readout.textContent = pointText(point, series, unit);
  };
  const axes = (width, height, edge) => {
    const { ticks, digits } = niceTicks(series.axis, 4);
    for (const tick of ticks) {
      add("line", { class: "axis", x1: edge.left, x2: width - edge.right, y1: place.y(tick), y2: place.y(tick) });
      add("text", { x: edge.left - 6, y: place.y(tick) + 4, "text-anchor": "end" }, numberText(tick, digits));
    }
    const every = Math.ceil((last - first + 1) / Math.max(2, Math.floor((width - edge.left) / 55)));
    for (let year = first; year <= last; year += every)
      add("text", { x: place.x(year), y: height - 6, "text-anchor": "middle" }, String(year));
    add("text", { x: 2, y: 12 }, unit);
  };
  const draw = () => {
    const width = svg.clientWidth || 480, height = svg.clientHeight || 220;
    const edge = { left: 46, right: 18, top: 22, bottom: 26 }, [bottom, top] = series.axis;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    const span = Math.max(1, last - first), inner = width - edge.left - edge.right - 16;
    place = {
      x: (year) => edge.left + 8 + (last === first ? inner / 2 : ((year - first) / span) * inner),
      y: (value) => edge.top + ((top - value) / (top - bottom)) * (height - edge.top - edge.bottom),
    };
    axes(width, height, edge);
    for (const point of points) {
      const x = place.x(point.year), bar = (low, high, kind, thick) => {
        if (low !== null && low !== undefined)
          add("line", { class: kind, x1: x, x2: x, y1: place.y(low), y2: place.y(high), "stroke-width": thick });
      };
      bar(point.low95, point.high95, "wide", 2);
      bar(point.low, point.high, "bar", 5);
      if (point.truth !== null && point.truth !== undefined)
        add("circle", { class: "truth", cx: x + 7, cy: place.y(point.truth), r: 3.5 });
      add("circle", { class: "dot", cx: x, cy: place.y(point.value), r: 4 });
    }
    add("circle", { class: "here", r: 8 });
    mark(current);
  };
  const choose = (index) => {
    mark(index);
    if (onYear) onYear(points[index].year);
  };
  svg.addEventListener("pointermove", (event) => {
    const x = event.clientX - svg.getBoundingClientRect().left;
    const distance = (point) => Math.abs(place.x(point.year) - x);
    mark(points.reduce((best, point, index) => (distance(point) < distance(points[best]) ? index : best), 0));
  });
  svg.addEventListener("click", () => choose(current));
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    choose(Math.min(points.length - 1, Math.max(0, current + step)));
  });
  draw();
  new ResizeObserver(draw).observe(svg);
  return (year) => {
    const index = points.findIndex((point) => point.year === year);
    if (index >= 0) mark(index);
  };
}
