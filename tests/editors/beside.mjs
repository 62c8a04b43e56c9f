// Docker's and Microsoft's own servers in the same window: a half-typed word and a refused mount are told
// once, by them; our fix is there all the same, and hovers stand one below the other.
import { entries, openWindow, press, putCaret, say, story, view } from "./lib.mjs";

const FILES = {
  "half.dockerfile": "FROM python:3.13\nRUNN true\nRUN --mount=type=cache,target=/root/.cache/pip pip install x && pip cache purge\n",
  "refused.dockerfile": "FROM python:3.13\nRUN --mount=type=cache,target=/root/.cache/pip,sharing=lock pip install x\n",
};

story("beside", { files: FILES, others: ({ other }) => [other] }, async (editor, page, shot) => {
  await halfTyped(editor, page, shot);
  await refused(editor, page, shot);
});

const rows = (page) => page.locator(".markers-panel .monaco-list-row");

async function open(editor, page, name) {
  await openWindow(editor, page, name);
  await page.keyboard.press("Control+Shift+KeyM");
}

/** The half-typed word is theirs; what only we know is ours, in Problems as in the hover. */
async function halfTyped(editor, page, shot) {
  await open(editor, page, "half.dockerfile");
  await rows(page).filter({ hasText: "unknown instruction: RUNN" }).first().waitFor();
  await rows(page).filter({ hasText: "CK305" }).first().waitFor();
  const ours = (await rows(page).allInnerTexts()).filter((text) => /RUNN/.test(text) && /cachekey/.test(text));
  say(`ours of the half-typed word: ${ours.length}`);
  await putCaret(page, 2, 1);
  const hover = page.locator(".monaco-hover:visible").first();
  const keyword = view(page, "half.dockerfile").locator(".view-line span span", { hasText: "FROM" }).first();
  const place = await keyword.boundingBox();
  await page.mouse.move(place.x + place.width / 2, place.y + place.height / 2);
  await hover.locator(".hover-contents", { hasText: "to use for subsequent instructions" }).first().waitFor();
  await hover.locator(".hover-contents", { hasText: "from python:3.13" }).first().waitFor();
  const parts = (await hover.locator(".hover-contents").allInnerTexts()).map((text) => text.replace(/\s+/g, " "));
  say(`hovers stack: ${JSON.stringify(parts)}`);
  await shot("hovers");
  await page.mouse.move(5, 795);
}

/** BuildKit's refusal is told once, by Docker's server; at its squiggle our fix is offered. */
async function refused(editor, page, shot) {
  await open(editor, page, "refused.dockerfile");
  const said = rows(page).filter({ hasText: "unsupported sharing value" });
  await said.filter({ hasNotText: "CK601" }).first().waitFor();
  await said.filter({ hasText: "CK601" }).first().waitFor({ state: "detached" });
  say(`ours of the refused mount: ${await said.filter({ hasText: "CK601" }).count()}`);
  await shot("refused");
  await putCaret(page, 2, 2);
  const fix = entries(page, "locked").first();
  await press(page, "Control+Period", fix);
  say(`our fix at their squiggle: ${await fix.innerText()}`);
  await shot("fix");
  await fix.click();
  await view(page, "refused.dockerfile").locator(".view-line", { hasText: "sharing=locked" }).first().waitFor();
  await said.first().waitFor({ state: "detached" });
  say("both are content");
}
