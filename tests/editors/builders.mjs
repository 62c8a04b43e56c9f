// The builder in the editor: its caches as a page, a click that opens a line, a proof with progress
// and a way to stop it; then lenses and hovers that carry the figures. In four themes, by keyboard.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Editor, HEIGHT, command, main, say, until } from "./lib.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const THEMES = [
  ["light", "Light Modern"],
  ["high-contrast", "Dark High Contrast"],
  ["high-contrast-light", "Light High Contrast"],
  ["dark", "Dark Modern"],
];

main(async ({ root, vsix, shots, builder, bin, python }) => {
  const editor = new Editor(root, { "cachekey.interpreter": [python] });
  fs.cpSync(path.join(HERE, "builders"), editor.workspace, { recursive: true });
  fs.rmSync(path.join(editor.workspace, "Dockerfile"));
  for (const folder of ["api", "web"]) {
    fs.copyFileSync("/bin/busybox", path.join(editor.workspace, folder, "busybox"));
    fs.copyFileSync(path.join(HERE, "builders/tool"), path.join(editor.workspace, folder, "tool"));
  }
  fs.rmSync(path.join(editor.workspace, "tool"));
  // The editor takes its PATH from the user's shell.
  fs.writeFileSync(path.join(editor.home, ".profile"), `export PATH="${bin}:$PATH"\n`);
  await editor.install(vsix);
  await editor.serve([], { BUILDKIT_HOST: builder });
  const page = await editor.page();
  const shot = (name) => page.screenshot({ path: path.join(shots, `builders-${name}.png`) });
  const wrong = [];
  page.on("console", (said) => {
    if (/Content.Security.Policy/i.test(said.text()) && /webview|fake\.html/.test(said.location().url)) {
      wrong.push(said.text());
    }
  });
  try {
    await tell(editor, page, shot);
  } catch (error) {
    await page.screenshot({ path: path.join(shots, "failed.png") });
    console.log(`--- the extension's log\n${editor.log()}`);
    throw error;
  }
  say(`refused by the policy: ${JSON.stringify(wrong)}`);
});

/** The document within the webviews: the one that holds this text. */
async function shown(page, text) {
  return until(`a page with ${text}`, async () => {
    for (const frame of page.frames()) {
      const found = await frame.locator("main h1", { hasText: text }).count().catch(() => 0);
      if (found > 0) {
        return frame;
      }
    }
    return undefined;
  });
}

/** Brings the file that is to be proven back, and the keyboard with it. */
async function inFront(page, view) {
  await page.locator(".tab", { hasText: "Dockerfile" }).first().click();
  // Not in a long line's middle: the caret would scroll the view there.
  await view.locator(".view-line").first().click({ position: { x: 5, y: 8 } });
}

/** Takes the mouse to where nothing answers it: no button explains itself in a picture. */
async function away(page) {
  await page.mouse.move(300, HEIGHT - 100);
  await page.waitForTimeout(500);
}

async function theme(page, name) {
  await page.keyboard.press("Control+KeyK");
  await page.keyboard.press("Control+KeyT");
  const picker = page.locator(".quick-input-widget input");
  await page.locator(".quick-input-list .monaco-list-row", { hasText: "Modern" }).first().waitFor();
  await picker.fill(name);
  await page.locator(".quick-input-list .monaco-list-row", { hasText: name }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
}

async function tell(editor, page, shot) {
  const file = path.join(editor.workspace, "api/Dockerfile");
  await editor.open(page, [["openFile", editor.uri(file)]]);
  const view = page.locator('.editor-instance .monaco-editor[role="code"][data-uri$="/api/Dockerfile"]');
  await view.locator(".squiggly-warning").first().waitFor({ state: "attached" });
  say("squiggle");
  await page.keyboard.press("Control+KeyB");

  await command(page, "Cachekey: Show Caches on This Builder");
  const caches = await shown(page, "Caches on this builder");
  const rows = caches.locator("tr[data-size]");
  const text = (await caches.locator("main").innerText()).replace(/\s+/g, " ");
  say(`caches: ${await rows.count()} rows; ${text}`);
  await caches.locator(".broken", { hasText: "not shared with uv-cache" }).waitFor();
  await page.locator(".codelens-decoration", { hasText: "24 MB, last used" }).first().waitFor();
  say("the lens has the size");

  for (const [name, title] of THEMES) {
    const kind = { light: "vscode-light", dark: "vscode-dark" }[name] ?? `vscode-${name}`;
    await theme(page, title);
    await caches.locator(`body.${kind}`).waitFor();
    await away(page);
    await shot(`caches-${name}`);
  }
  say("themes");

  // By keyboard: the filter, the heads that sort, the links.
  const filter = caches.locator("#filter");
  const one = caches.locator("#count", { hasText: "1 of" });
  // Until the page has the focus, keys go to the window behind it.
  await until("the filter leaves one", async () => {
    await filter.fill("");
    await filter.focus();
    await page.keyboard.type("npm");
    return one.waitFor({ timeout: 5_000 }).then(() => true, () => false);
  });
  await filter.fill("");
  await caches.locator("button[data-sort=name]").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await until("sorted by name", async () => (await rows.first().getAttribute("data-name")) === "uv-cache");
  const link = caches.locator("a", { hasText: "web/Dockerfile:6" }).first();
  await link.focus();
  await page.keyboard.press("Enter");
  await page.locator("#status\\.editor\\.selection", { hasText: "Ln 6" }).waitFor();
  await page.locator('.editor-instance .monaco-editor[data-uri$="/web/Dockerfile"]').waitFor();
  say("a link opens its line");

  await proof(editor, page, shot, view);
}

async function proof(editor, page, shot, view) {
  const notes = path.join(editor.home, ".cache/cachekey/prove");
  await inFront(page, view);
  await command(page, "Cachekey: Prove This Dockerfile");
  const progress = page.locator(".notification-toast", { hasText: "Proving cache mounts" });
  await progress.filter({ hasText: "cold build" }).waitFor();
  await until("a step is told", async () => /RUN --mount/.test(await progress.innerText()));
  say(`progress: ${(await progress.innerText()).replace(/\s+/g, " ")}`);
  await shot("progress");
  await progress.getByText("Cancel").click();
  await until("nothing is left of it", () => fs.existsSync(notes) && fs.readdirSync(notes).length === 0);
  await progress.waitFor({ state: "detached" });
  say("cancelled");

  await inFront(page, view);
  await command(page, "Cachekey: Prove This Dockerfile");
  const proven = await shown(page, "What the cache mounts of");
  say(`proof: ${(await proven.locator("main").innerText()).replace(/\s+/g, " ")}`);
  await proven.locator(".badge", { hasText: "works" }).first().waitFor();
  await away(page);
  // VS Code drops a renewal of lenses for an editor that has lost the focus.
  await page.locator('.monaco-editor.focused[data-uri$="/api/Dockerfile"]').waitFor();
  await shot("proof");
  const lens = page.locator(".codelens-decoration", { hasText: "proven: saves" }).first();
  await lens.waitFor();
  say(`lens: ${await lens.innerText()}`);
  await page.keyboard.press("Control+Digit1");
  const mount = view.locator(".view-line", { hasText: "id=uv-cache" }).first();
  const box = await mount.boundingBox();
  // Over the path: a name of an option says what the option is.
  await page.mouse.move(box.x + 410, box.y + box.height / 2);
  const hover = page.locator(".monaco-hover:visible").first();
  await hover.locator(".hover-contents", { hasText: "On the builder" }).first().waitFor();
  say(`hover: ${(await hover.innerText()).replace(/\s+/g, " ")}`);
  await shot("hover");
}
