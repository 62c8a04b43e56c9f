// The main story as a user lives it: the packaged extension, installed, in a browser. Squiggle,
// Problems, hover, quick fix, the file on disk, undo, devcontainer.json.
import { HEIGHT, WIDTH, entries, openFile, openWindow, press, putCaret, say, story, until, view } from "./lib.mjs";

const FIX = "Share one cache: give ";

story("story", {}, async (editor, page, take) => {
  let count = 0;
  await tell(editor, page, (name, clip) => {
    count += 1;
    return take(`${count}-${name}`, clip);
  });
});

async function tell(editor, page, shot) {
  const before = editor.read("Dockerfile");
  const onDisk = () => editor.read("Dockerfile");
  const file = view(page, "Dockerfile");
  const squiggle = file.locator(".squiggly-warning").first();
  const problem = page.locator(".markers-panel .monaco-list-row", { hasText: "CK101" }).first();

  await openWindow(editor, page, "Dockerfile");
  // Attached, not visible: a squiggle is an overlay without size of its own.
  await squiggle.waitFor({ state: "attached" });
  say("squiggle");
  await shot("squiggle");

  // VS Code gives a hover a quarter of the editor's height: in a high window this one is seen whole.
  await page.setViewportSize({ width: WIDTH, height: 1600 });
  const hover = page.locator(".monaco-hover:visible").first();
  const marked = await squiggle.boundingBox();
  await page.mouse.move(marked.x + marked.width / 3, marked.y + marked.height / 2);
  await hover.locator(".hover-contents", { hasText: "Not shared in this folder" }).first().waitFor();
  say(`hover: ${(await hover.innerText()).replace(/\s+/g, " ")}`);
  const whole = await hover.locator(".monaco-hover-content").first().evaluate((content) => {
    const { clientHeight } = content.closest(".monaco-scrollable-element");
    return content.scrollHeight <= clientHeight;
  });
  say(`the hover is seen whole: ${whole}`);
  const { y, height } = await hover.boundingBox();
  await shot("hover", { x: 0, y: 0, width: WIDTH, height: y + height + 24 });
  await page.mouse.move(5, 795);
  await hover.waitFor({ state: "hidden" });
  await page.setViewportSize({ width: WIDTH, height: HEIGHT });

  await file.click({ position: { x: 400, y: 10 } });
  await page.keyboard.press("Control+Shift+KeyM");
  await problem.waitFor();
  say(`problem: ${await problem.getAttribute("aria-label")}`);
  await shot("problems");

  await putCaret(page, 11, 40);
  await page.locator(".lightBulbWidget").first().waitFor();
  const fix = entries(page, FIX).first();
  const presses = await press(page, "Control+Period", fix);
  say(`quick fixes after ${presses} press(es): ${JSON.stringify(await entries(page).allInnerTexts())}`);
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
  await view(page, "devcontainer.json").locator(".squiggly-error").first().waitFor({ state: "attached" });
  await page.locator(".markers-panel .monaco-list-row", { hasText: "CK701" }).first().waitFor();
  say(`devcontainer.json, language ${await page.locator("#status\\.editor\\.mode").innerText()}`);
  await shot("devcontainer");
}
