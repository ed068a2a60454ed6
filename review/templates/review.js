// Decisions on the map that is shown: kept in this page until they are saved as review.json.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent), { versions, pieces, earlier } = data.review;
  const $ = (id) => document.getElementById(id), fresh = new Map();
  const WORDS = { accept: "accepted", reject: "rejected" };
  let saved = true;

  const year = () => data.years[$("year").value];
  // The map shows its choice of a glacier in the panel: its name, below it its id where the two differ.
  function glacier() {
    const name = $("glacier").querySelector("h3"), id = name && name.nextElementSibling && name.nextElementSibling.textContent;
    return name && (data.glaciers.find((each) => each.id === id) ||
      data.glaciers.find((each) => each.id === name.textContent || each.name === name.textContent));
  }
  function show(toYear, id) {
    $("year").value = data.years.indexOf(Number(toYear));
    $("year").dispatchEvent(new Event("input"));
    if (id) {
      $("search").value = id;
      $("search").dispatchEvent(new Event("input"));
    }
    $("map-title").scrollIntoView();
  }

  const option = (value, text) => Object.assign(document.createElement("option"), { value: JSON.stringify(value), textContent: text });
  function targets() {
    const now = year(), chosen = glacier(), before = $("target").value;
    const list = [option({ year: now }, `the map of ${now}`)];
    if (chosen) {
      const name = chosen.name || chosen.id, parts = (pieces[now] || {})[chosen.id] || [];
      list.push(option({ year: now, rgi_id: chosen.id }, `${name} in ${now}`));
      parts.forEach(([longitude, latitude, km2], index) => list.push(option({ year: now, rgi_id: chosen.id, longitude, latitude },
        `${name} in ${now}, piece ${index + 1} of ${parts.length} (${km2.toFixed(3)} km\u00b2, ${latitude.toFixed(4)}, ${longitude.toFixed(4)})`)));
    }
    $("target").replaceChildren(...list);
    if (list.some((each) => each.value === before)) $("target").value = before;
    else if (chosen) $("target").selectedIndex = 0;
  }

  const keyOf = (entry) => JSON.stringify([entry.year, entry.rgi_id || null, entry.longitude ?? null, entry.latitude ?? null]);
  const moment = () => `${new Date().toISOString().slice(0, 19)}Z`;
  const say = (text) => { $("said").textContent = text; };
  function decide(decision) {
    const target = JSON.parse($("target").value), by = $("by").value.trim(), comment = $("comment").value.trim();
    if (!by) {
      say("Enter your name first: the report says who looked at what.");
      return $("by").focus();
    }
    if (!decision && (!comment || !target.rgi_id)) {
      say(target.rgi_id ? "Write a comment first." : "A comment on a whole year goes with accepting or rejecting it.");
      return $("comment").focus();
    }
    const entry = { ...target, decision, by, at: moment(), maps: versions[target.year], comment };
    fresh.set(keyOf(entry), entry);
    saved = false;
    $("comment").value = "";
    say(`${$("target").selectedOptions[0].textContent}: ${WORDS[decision] || "comment noted"}.`);
    list();
  }
  function cell(row, text, kind = "td") {
    const node = Object.assign(document.createElement(kind), { textContent: text });
    if (kind === "th") node.scope = "row";
    row.append(node);
    return node;
  }
  function list() {
    const all = new Map([...earlier.years, ...earlier.notes].map((entry) => [keyOf(entry), entry]));
    for (const [key, entry] of fresh) all.set(key, entry);
    const rows = [...all].sort(([, a], [, b]) => a.year - b.year).map(([key, entry]) => {
      const row = document.createElement("tr");
      cell(row, entry.year, "th");
      cell(row, !entry.rgi_id ? "year" : (entry.longitude ?? null) === null ? entry.rgi_id : `piece of ${entry.rgi_id}`).className = "id";
      const stale = entry.maps === versions[entry.year] ? "" : ", in an earlier version of the map";
      cell(row, `${WORDS[entry.decision] || "comment"}${stale}`).className = entry.decision || "";
      cell(row, entry.by);
      cell(row, entry.comment || "\u2013").className = "id";
      const last = cell(row, fresh.has(key) ? "" : "taken in");
      if (fresh.has(key)) {
        const undo = Object.assign(document.createElement("button"), { type: "button", textContent: "Undo" });
        undo.setAttribute("aria-label", `Undo: ${row.cells[1].textContent}, ${entry.year}`);
        undo.addEventListener("click", () => {
          fresh.delete(key);
          list();
        });
        last.append(undo);
      }
      return row;
    });
    $("decisions").replaceChildren(...rows);
    for (const node of document.querySelectorAll("[data-decision]")) {
      const entry = all.get(keyOf({ year: Number(node.dataset.decision) }));
      node.textContent = entry ? `${WORDS[entry.decision]}, ${entry.by}` : "\u2013";
      node.className = entry ? entry.decision : "";
    }
  }
  function save() {
    const by = $("by").value.trim();
    if (!by) {
      say("Enter your name first: the report says who looked at what.");
      return $("by").focus();
    }
    const entries = [...fresh.values()];
    const years = entries.filter((entry) => !entry.rgi_id), notes = entries.filter((entry) => entry.rgi_id);
    const text = JSON.stringify({ by, at: moment(), years, notes }, null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: "application/json" }));
    link.download = "review.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    saved = true;
    say(`review.json: ${years.length} of years, ${notes.length} of glaciers and pieces. Next: make review FROM=review.json`);
  }
  const next = () => show(data.years[(Number($("year").value) + 1) % data.years.length], "");

  $("accept").addEventListener("click", () => decide("accept"));
  $("reject").addEventListener("click", () => decide("reject"));
  $("note").addEventListener("click", () => decide(null));
  $("next").addEventListener("click", next);
  $("save").addEventListener("click", save);
  for (const button of document.querySelectorAll("button.show"))
    button.addEventListener("click", () => show(button.dataset.year, button.dataset.id));
  document.addEventListener("keydown", (event) => {
    if (!$("keys").checked || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input:not([type=range], [type=checkbox], [type=radio]), select, textarea")) return;
    const act = { a: () => decide("accept"), r: () => decide("reject"), c: () => $("comment").focus(), n: next }[event.key.toLowerCase()];
    if (act) {
      event.preventDefault();
      act();
    }
  });
  addEventListener("beforeunload", (event) => { if (!saved) event.preventDefault(); });
  new MutationObserver(targets).observe($("year-text"), { childList: true, characterData: true, subtree: true });
  new MutationObserver(targets).observe($("glacier"), { childList: true });
  targets();
  list();
})();
