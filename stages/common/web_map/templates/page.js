// What the rest of the page answers to: pictures that open in full size, tables that are saved as CSV.
"use strict";
(() => {
  const dialog = document.createElement("dialog"), large = document.createElement("img"), close = document.createElement("button");
  dialog.className = "enlarged";
  dialog.setAttribute("aria-label", "Picture in full size");
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.append(close, large);
  document.body.append(dialog);
  for (const picture of document.querySelectorAll("figure img")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "picture";
    button.title = "Enlarge";
    picture.replaceWith(button);
    button.append(picture);
    button.addEventListener("click", () => {
      large.src = picture.src;
      large.alt = picture.alt;
      dialog.showModal();
    });
  }

  const cellText = (cell) => {
    const values = [...cell.querySelectorAll("data")].map((each) => each.value);
    return values.length ? values.join(" ") : cell.textContent.trim().replace(/\s+/g, " ");
  };
  const quote = (text) => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  for (const table of document.querySelectorAll("table")) {
    const button = document.createElement("button"), name = table.closest("[aria-label]").getAttribute("aria-label");
    button.type = "button";
    button.className = "save";
    button.textContent = "Save as CSV";
    button.setAttribute("aria-label", `Save as CSV: ${name}`);
    table.closest(".scroll").after(button);
    button.addEventListener("click", () => {
      const rows = [...table.rows].map((row) => [...row.cells].map((cell) => quote(cellText(cell))).join(","));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([`${rows.join("\n")}\n`], { type: "text/csv" }));
      link.download = `${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.csv`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }
})();
