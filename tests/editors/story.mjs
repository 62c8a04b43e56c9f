// The main story as a user lives it: the packaged extension, installed, in a browser. Squiggle,
// Problems, hover, quick fix, the file on disk, undo, devcontainer.json.
import fs from "node:fs";
import path from "node:path";
import { Editor, main, openFile, putCaret, say, until } from "./lib.mjs";

const FIX = "Share one cache: give ";

main(async ({ root, vsix, shots }) => {
  const editor = new Editor(root);
  await editor.install(vsix);
  say("installed");
  await editor.serve();
  const page = await editor.page();
  let count = 0;
  const shot = async (name) => {
    count += 1;
    await page.screenshot({ path: path.join(shots, `story-${count}-${name}.png`) });
  };
  try {
    await tell(editor, page, shot);
  } catch (error) {
    await page.screenshot({ path: path.join(shots, "failed.png") });
    console.log(`--- the extension's log\n${editor.log()}`);
    throw error;
  }
  if (/\[error\]/.test(editor.log())) {
    throw new Error(`errors in the extension's log:\n${editor.log()}`);
  }
});

async function tell(editor, page, shot) {
  const file = path.join(editor.workspace, "Dockerfile");
  const before = fs.readFileSync(file, "utf8");
  const onDisk = () => fs.readFileSync(file, "utf8");
  const view = page.locator('.editor-instance .monaco-editor[role="code"][data-uri$="/Dockerfile"]');
  const squiggle = view.locator(".squiggly-warning").first();
  const problem = page.locator(".markers-panel .monaco-list-row", { hasText: "CK101" }).first();

  await editor.open(page, [["openFile", editor.uri(file)]]);
  await view.waitFor();
  // Attached, not visible: a squiggle is an overlay without size of its own.
  await squiggle.waitFor({ state: "attached" });
  say("squiggle");
  await shot("squiggle");

  const hover = page.locator(".monaco-hover:visible").first();
  const marked = await squiggle.boundingBox();
  await page.mouse.move(marked.x + marked.width / 3, marked.y + marked.height / 2);
  await hover.locator(".hover-contents", { hasText: "Not the same cache" }).first().waitFor();
  say(`hover: ${(await hover.innerText()).replace(/\s+/g, " ")}`);
  await shot("hover");
  await page.mouse.move(5, 795);
  await hover.waitFor({ state: "hidden" });

  await view.click({ position: { x: 400, y: 10 } });
  await page.keyboard.press("Control+Shift+KeyM");
  await problem.waitFor();
  say(`problem: ${await problem.getAttribute("aria-label")}`);
  await shot("problems");

  await putCaret(page, 11, 40);
  await page.locator(".lightBulbWidget").first().waitFor();
  const menu = page.locator(".action-widget .monaco-list-row.action");
  const fix = menu.filter({ hasText: FIX }).first();
  // A light bulb or lens that comes up at the wrong moment swallows the key.
  let presses = 0;
  await until("the quick fix menu", async () => {
    presses += 1;
    await page.keyboard.press("Control+Period");
    return fix.waitFor({ timeout: 10_000 }).then(() => true, () => false);
  });
  say(`quick fixes after ${presses} press(es): ${JSON.stringify(await menu.allInnerTexts())}`);
  await shot("quick-fix");
  await fix.click();
  await problem.waitFor({ state: "detached" });
  say("the problem is gone");
  await page.keyboard.press("Control+KeyS");
  // Two on disk: not one, and not the empty file that a save is for a moment.
  const ids = () => onDisk().match(/--mount=type=cache,\S*id=uv-cache\b/g) ?? [];
  await until("both mounts have got the id, on disk", () => ids().length === 2);
  say("fixed on disk");
  await shot("fixed");

  await page.locator(".editor-instance .monaco-editor.focused").waitFor();
  await page.keyboard.press("Control+KeyZ");
  await problem.waitFor();
  await page.keyboard.press("Control+KeyS");
  await until("the old text is on disk", () => onDisk() === before);
  say("undone on disk");

  await openFile(page, "devcontainer.json");
  await page.locator('.monaco-editor[data-uri$="devcontainer.json"] .squiggly-error').first().waitFor({ state: "attached" });
  await page.locator(".markers-panel .monaco-list-row", { hasText: "CK701" }).first().waitFor();
  say(`devcontainer.json, language ${await page.locator("#status\\.editor\\.mode").innerText()}`);
  await shot("devcontainer");
}
