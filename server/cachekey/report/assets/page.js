// Rows can be filtered and sorted; a click on a link is told to the editor that shows the page.
const code = typeof acquireVsCodeApi === "function" ? acquireVsCodeApi() : undefined;
const rows = [...document.querySelectorAll("tr[data-name]")];

const field = document.getElementById("filter");
field?.addEventListener("input", () => {
  const wanted = field.value.toLowerCase();
  for (const row of rows) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
  }
  const left = rows.filter((row) => !row.hidden).length;
  document.getElementById("count").textContent = wanted ? `${left} of ${rows.length}` : "";
});

for (const button of document.querySelectorAll("button[data-sort]")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const by = button.dataset.sort;
    const now = head.getAttribute("aria-sort");
    const down = by === "name" ? now === "ascending" : now !== "descending";
    for (const other of head.parentElement.children) {
      if (other.hasAttribute("aria-sort")) {
        other.setAttribute("aria-sort", "none");
      }
    }
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => row.dataset[by] ?? "";
    const order = (a, b) => (by === "name" ? value(a).localeCompare(value(b)) : value(a) - value(b));
    rows.sort((a, b) => (down ? order(b, a) : order(a, b)));
    head.closest("table").tBodies[0].append(...rows);
  });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (link && code) {
    event.preventDefault();
    code.postMessage({ open: link.getAttribute("href") });
  }
});
