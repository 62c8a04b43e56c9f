// What does not match the filter fades; a click on a link is told to the editor that shows the map.
const code = typeof acquireVsCodeApi === "function" ? acquireVsCodeApi() : undefined;

const all = (what) => [...document.querySelectorAll(what)];
const caches = all("g[data-key]");
const mounts = all("a[data-key]");

const field = document.getElementById("filter");
field.addEventListener("input", () => {
  const wanted = field.value.toLowerCase();
  const says = ({ textContent, dataset }) =>
    [textContent, dataset.tools, dataset.file].join(" ").toLowerCase().includes(wanted);
  const meant = [...caches, ...mounts].filter(says);
  const keys = new Set(meant.map((drawn) => drawn.dataset.key));
  for (const drawn of all("[data-key]")) {
    drawn.classList.toggle("off", wanted !== "" && !keys.has(drawn.dataset.key));
  }
  const files = new Set(mounts.filter((one) => keys.has(one.dataset.key)).map((one) => one.dataset.file));
  for (const head of all("text[data-file]")) {
    head.classList.toggle("off", !files.has(head.dataset.file));
  }
  document.getElementById("count").textContent = wanted && `${keys.size} of ${caches.length} caches`;
  const first = mounts.find((one) => meant.includes(one)) ?? mounts.find((one) => keys.has(one.dataset.key));
  first?.scrollIntoView({ block: "center" });
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
