// What does not match the filter fades; a click on a link is told to the editor that shows the map.
const code = typeof acquireVsCodeApi === "function" ? acquireVsCodeApi() : undefined;

const field = document.getElementById("filter");
field.addEventListener("input", () => {
  const wanted = field.value.toLowerCase();
  const keys = new Set();
  for (const drawn of document.querySelectorAll("g[data-key],a[data-key]")) {
    const said = drawn.textContent + " " + (drawn.dataset.tools ?? "");
    if (said.toLowerCase().includes(wanted)) {
      keys.add(drawn.dataset.key);
    }
  }
  for (const drawn of document.querySelectorAll("[data-key]")) {
    drawn.classList.toggle("off", wanted !== "" && !keys.has(drawn.dataset.key));
  }
});

// The cache under the pointer stands out: the lines of all others fade.
const near = (event) => {
  const key = event.target.closest?.("[data-key]")?.dataset.key;
  for (const line of document.querySelectorAll(".line")) {
    line.classList.toggle("far", key !== undefined && line.dataset.key !== key);
  }
};
document.addEventListener("mouseover", near);
document.addEventListener("focusin", near);

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (link && code) {
    event.preventDefault();
    code.postMessage({ open: link.getAttribute("href") });
  }
});
