{% extends "map.js" %}
{# The map of two versions in the same year: A left of the divider, B right of it; without the divider both at once. #}
{% block layers %}
  const LAYERS = [
    { key: "outlineA", text: "outlines of A", colour: colours.a, line: true, on: true },
    { key: "outlineB", text: "outlines of B", colour: colours.b, line: true, on: true },
    { key: "onlyA", text: "ice for A alone", colour: colours.a, on: true },
    { key: "onlyB", text: "ice for B alone", colour: colours.b, on: true },
    { key: "old", text: "prior outline", colour: colours.old, line: true },
    { key: "unseen", text: "not observed", colour: colours.unseen, on: true },
  ];
  const SIDES = ["a", "b"];
{% endblock %}
{% block kinds %}["natural", "false", "onlyA", "onlyB", "unseen"]{% endblock %}
{% block shown %}
        const split = chosen.other !== null, ofA = name === "other-side";
        for (const kind of ["onlyA", "onlyB", "unseen"]) picture(kind, year, visible && shown[kind]);
        shapes.clearLayers();
        if (!visible) return;
        if (shown.old) outline(data.old, colours.old, null);
        if (shown.outlineB && !ofA) outline(data.outlines[year] || [], colours.b, year);
        if (shown.outlineA && (ofA || !split)) outline(data.outlinesA[year] || [], colours.a, year);
{% endblock %}
{% block area_text %}
  function areaText(glacier, year) {
    const text = (side) => {
      const point = glacier[side].points.find((each) => each.year === year);
      return `${side.toUpperCase()} ${point ? pointText(point, glacier[side], "km\u00b2") : `${year}: no area`}`;
    };
    return SIDES.map(text).join("\n");
  }
{% endblock %}
{% block sides %}
    chosen.other = $("other").checked ? chosen.year : null;
    right.show(chosen.year);
    left.show(chosen.other);
{% endblock %}
{% block labels %}
    $("left-year").textContent = "A";
    $("right-year").textContent = "B";
{% endblock %}
{% block other %}
{% endblock %}
{% block can_show %}
  const canShow = {
    outlineA: true, outlineB: true, onlyA: has("onlyA"), onlyB: has("onlyB"), old: data.old.length, unseen: true,
  };
{% endblock %}
{% block panel %}
      for (const side of SIDES) {
        const holder = document.createElement("div"), letter = side.toUpperCase();
        holder.className = `chart-${side}`;
        $("glacier").append(holder);
        glacierMarks.push(chart(holder, glacier[side], { unit: "km\u00b2", label: `${letter}: area of ${title(glacier)} by year`, onYear: setYear }));
      }
{% endblock %}
{% block site %}
  for (const side of SIDES)
    markers.push(chart($(`area-chart-${side}`), data.sides[side], { unit: "km\u00b2", label: `${side.toUpperCase()}: glacier area by year`, onYear: setYear }));
{% endblock %}
