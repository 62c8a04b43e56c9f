// More of a user's day in one window: a renaming that must be looked at first, an id for every file, all
// safe fixes on save and by the palette, and a rule's page by its link.
import { command, entries, openFile, openWindow, press, putCaret, renameBox, say, story, until, view } from "./lib.mjs";

const ALIKE = "FROM python:3.13\nENV UV_LINK_MODE=copy\nRUN --mount=type=cache,id=uv-7,target=/root/.cache/uv uv sync\n";
const FILES = {
  "one.dockerfile": ALIKE,
  "two.dockerfile": ALIKE.replace("uv-7", "taken"),
  "three.dockerfile": ALIKE.replace("id=uv-7,", ""),
  "four.dockerfile": ALIKE.replace("id=uv-7,target=/root/", "target=/r/").replace("uv sync", "uv sync --cache-dir /r/.cache/uv"),
  "saved.dockerfile": "FROM debian:13\nRUN --mount=type=cache,target=/root/.cache/pip pip install x && pip cache purge\n",
  ".vscode/settings.json": '{ "editor.codeActionsOnSave": {} }\n',
};
const SAVING = '{ "editor.codeActionsOnSave": { "source.fixAll.cachekey": "explicit" } }\n';

story("window", { files: FILES }, async (editor, page, shot) => {
  await openWindow(editor, page, "one.dockerfile");
  await renamed(editor, page, shot);
  await everywhere(editor, page, shot);
  await fixedAtOnce(editor, page);
  await linked(page, shot);
});

const boxes = (page) => page.locator(".bulk-edit-panel .edit-checkbox");

/**
 * Takes what the preview shows, once all of its boxes are seen to be ticked. VS Code shows a preview only
 * for the sake of a change that wants a yes, whose box is empty: ours does nothing, and has no box.
 */
async function taken(page, shot, name, fewest) {
  await page.locator(".bulk-edit-panel").first().waitFor();
  await until("the places are shown", async () => (await boxes(page).count()) >= fewest);
  const rows = page.locator(".bulk-edit-panel .monaco-list-row", { has: page.locator(".edit-checkbox:not(.checked)") });
  const empty = async () => (await rows.allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim());
  // Files unfold one by one: what is shown counts when it stays as it is.
  let open = [];
  let shown = -1;
  await until("nothing more is drawn", async () => {
    const before = JSON.stringify([open, shown]);
    open = await empty();
    shown = await boxes(page).count();
    return JSON.stringify([open, shown]) === before;
  }, undefined, 500);
  say(`${name}: ${await boxes(page).count()} boxes, empty: ${JSON.stringify(open)}`);
  await shot(name);
  await page.locator(".bulk-edit-panel").getByRole("button", { name: "Apply" }).click();
}

/** A new id that another file has: all places are shown, ticked, and Apply changes them. */
async function renamed(editor, page, shot) {
  await view(page, "one.dockerfile").locator(".squiggly-info").first().waitFor({ state: "attached" });
  await putCaret(page, 3, 29);
  await (await renameBox(page)).fill("taken");
  await page.keyboard.press("Enter");
  await taken(page, shot, "rename", 2);
  await saved(editor, page, "one.dockerfile", (text) => text.includes("id=taken"));
  say("renamed");
}

/** One directory in every file: shown first, all of it ticked. */
async function everywhere(editor, page, shot) {
  await openFile(page, "three.dockerfile");
  await putCaret(page, 3, 30);
  const action = entries(page, "in every file").first();
  await press(page, "Control+Shift+KeyR", action);
  await action.click();
  await taken(page, shot, "everywhere", 3);
  await saved(editor, page, "three.dockerfile", (text) => text.includes("/cache/uv"));
  say("one directory in every file");
}

/** Safe fixes when a file is saved, where the settings say so, and by the palette anywhere. */
async function fixedAtOnce(editor, page) {
  const dirty = FILES["saved.dockerfile"];
  await openFile(page, "saved.dockerfile");
  const squiggle = view(page, "saved.dockerfile").locator(".squiggly-warning").first();
  await squiggle.waitFor({ state: "attached" });
  await command(page, "Cachekey: Fix All");
  await squiggle.waitFor({ state: "detached" });
  await page.keyboard.press("Control+KeyZ");
  await squiggle.waitFor({ state: "attached" });
  say("fixed by the palette, and undone");
  editor.write(".vscode/settings.json", SAVING);
  await putCaret(page, 1, 1);
  await until("saving fixes", async () => {
    await page.keyboard.type(" ");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Control+KeyS");
    await page.waitForTimeout(1000);
    return editor.read("saved.dockerfile") !== dirty && !editor.read("saved.dockerfile").includes("purge");
  });
  say("fixed on save");
}

/** A link from outside opens a rule's page; VS Code asks first whether the extension may. */
async function linked(page, shot) {
  await command(page, "Open URL");
  await page.locator(".quick-input-widget input").first().fill("code-oss://cachekey.cachekey/rule/CK101");
  await page.keyboard.press("Enter");
  await page.locator(".monaco-dialog-box").getByRole("button", { name: "Open", exact: true }).click();
  await page.locator(".tabs-container .tab", { hasText: "CK101" }).waitFor();
  await until("the page is drawn", async () => {
    const counts = page.frames().map((one) => one.locator("h2", { hasText: "Bad" }).count().catch(() => 0));
    return (await Promise.all(counts)).some(Boolean);
  });
  await shot("link");
  say("a link opens the rule's page");
}

async function saved(editor, page, name, wanted) {
  await until(`${name} is saved`, async () => {
    await command(page, "File: Save All");
    return wanted(editor.read(name));
  }, undefined, 1000);
}
