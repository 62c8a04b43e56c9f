// The first minutes: nothing is open. Check Workspace, the walkthrough's three steps, a rule's page by
// its code, the language status, the map.
import { command, entries, say, story, until } from "./lib.mjs";

/** More files, for a map that has something to show. */
const FILES = {
  "api/Dockerfile":
    "FROM python:3.13 AS build\nENV UV_LINK_MODE=copy\n" +
    "RUN --mount=type=cache,id=uv-cache,target=/root/.cache/uv uv sync\n" +
    "FROM node:22 AS assets\nRUN --mount=type=cache,id=npm-cache,target=/root/.npm npm ci\n",
  "web/Dockerfile":
    "FROM node:22 AS build\nRUN --mount=type=cache,id=npm-cache,target=/root/.npm npm ci\n" +
    "USER node\nRUN --mount=type=cache,target=/home/node/.npm,uid=1000,gid=1000 npm ci --omit=dev\n",
  "jobs/Dockerfile":
    "FROM python:3.13\nENV UV_LINK_MODE=copy\n" +
    "RUN --mount=type=cache,id=uv-cache,target=/root/.cache/uv uv sync --all-extras\n",
};

story("minutes", { files: FILES }, tell);

async function tell(editor, page, shot) {
  await editor.open(page, []);
  await page.locator(".explorer-viewlet .monaco-list-row", { hasText: "Dockerfile" }).first().waitFor();

  const problem = (code) => page.locator(".markers-panel .monaco-list-row", { hasText: code }).first();
  await command(page, "Cachekey: Check Workspace");
  await problem("CK101").waitFor();
  await problem("CK701").waitFor();
  say("checked with nothing open");
  await shot("check");
  // A walkthrough shows its pictures where there is room for them.
  await page.keyboard.press("Control+KeyJ");
  await page.keyboard.press("Control+KeyB");

  await command(page, "Open Walkthrough...", "Get Started with Cachekey");
  const step = (title) => page.locator(".getting-started-step", { hasText: title }).first();
  await step("See why a cache is not shared").waitFor();
  await page.locator(".getting-started-media img").first().waitFor();
  await shot("walkthrough");
  await page.getByRole("button", { name: "Open the Example" }).first().click();
  const example = page.locator('.editor-instance .monaco-editor[role="code"][data-uri^="untitled:"]');
  const squiggle = example.locator(".squiggly-warning").first();
  await squiggle.waitFor({ state: "attached" });
  say("the example has its squiggle");

  await page.locator("#status\\.languageStatus").click();
  const status = page.locator(".hover-language-status");
  await status.filter({ hasText: /[1-9] findings?/ }).waitFor();
  say(`status: ${(await status.innerText()).replace(/\s+/g, " ")}`);
  await shot("status");
  await page.keyboard.press("Escape");

  const marked = await squiggle.boundingBox();
  await page.mouse.move(marked.x + marked.width / 3, marked.y + marked.height / 2);
  await page.locator(".monaco-hover:visible a.code-link", { hasText: "CK101" }).click();
  const heading = (frame) => frame.locator("h1, h2", { hasText: "Bad" });
  await eventually(async () => (await Promise.all(page.frames().map((one) => heading(one).count()))).some(Boolean));
  say("the code opens the rule's page");
  await shot("page");

  await command(page, "Open Walkthrough...", "Get Started with Cachekey");
  await step("Mend it in one click").click();
  await page.getByRole("button", { name: "Show the Fixes" }).first().click();
  await entries(page, "id=uv-cache").first().waitFor();
  await shot("fixes");
  await page.keyboard.press("Enter");
  await squiggle.waitFor({ state: "detached" });
  say("mended by Enter");

  await command(page, "Cachekey: Explain Rule");
  const rule = (code) => page.locator(".quick-input-list .monaco-list-row", { hasText: code }).first();
  await rule("CK001").waitFor();
  await shot("explain");
  await page.locator(".quick-input-widget input").first().fill("cache-not-writable");
  await rule("CK201").waitFor();
  await page.keyboard.press("Escape");

  await command(page, "Cachekey: Show Cache Map");
  await eventually(async () => (await Promise.all(page.frames().map((one) => one.locator("svg").count()))).some((n) => n > 0));
  await page.locator(".tabs-container .tab", { hasText: "Cache map of ws" }).click();
  await eventually(async () => (await Promise.all(page.frames().map((one) => one.getByText("(broken)").count()))).some((n) => n > 0));
  await page.mouse.move(700, 700);
  // The picture ends where the map ends.
  const drawn = await Promise.all(page.frames().map((one) => one.locator("svg:visible").first().boundingBox({ timeout: 2000 }).catch(() => null)));
  const bottom = Math.max(...drawn.filter(Boolean).map((box) => box.y + box.height));
  await shot("map", { x: 48, y: 32, width: 1232, height: Math.min(720, bottom) - 32 });
  say("the map is drawn");
}

async function eventually(look) {
  await until("a page of ours", () => look().catch(() => false), undefined, 250);
}
