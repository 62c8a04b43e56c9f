// Dev containers as a user sees them: a compose file is checked and explained, and the recipes and
// the planner, pressed in the editor, leave nothing to say.
import fs from "node:fs";
import path from "node:path";
import { Editor, main, putCaret, say, until } from "./lib.mjs";

const IMAGE = "mcr.microsoft.com/devcontainers/base:ubuntu";
const FILES = {
  "api/.devcontainer/devcontainer.json":
    '{ "dockerComposeFile": "compose.yaml", "service": "app", "remoteUser": "vscode" }\n',
  "api/.devcontainer/compose.yaml":
    `services:\n  app:\n    image: ${IMAGE}\n    command: sleep infinity\n` +
    "    volumes:\n      - ..:/w\n      - modules:/w/node_modules\nvolumes:\n  modules:\n",
  "web/.devcontainer/devcontainer.json":
    `{\n  "image": "${IMAGE}",\n  "remoteUser": "vscode",\n  "postCreateCommand": "npm ci && uv sync"\n}\n`,
  "docked/.devcontainer/devcontainer.json":
    '{\n  "build": { "dockerfile": "Dockerfile" },\n  "remoteUser": "vscode",\n  "postCreateCommand": "uv sync"\n}\n',
  "docked/.devcontainer/Dockerfile": `FROM ${IMAGE}\nRUN true\n`,
  "composed/.devcontainer/devcontainer.json":
    '{\n  "dockerComposeFile": "compose.yaml",\n  "service": "app",\n  "workspaceFolder": "/w",\n' +
    '  "remoteUser": "vscode",\n  "postCreateCommand": "uv sync"\n}\n',
  "composed/.devcontainer/compose.yaml":
    `services:\n  app:\n    image: ${IMAGE}\n    command: sleep infinity\n    volumes:\n      - ..:/w\n`,
  "web/package-lock.json": "{}\n",
  "web/uv.lock": "version = 1\n",
  "one/.devcontainer/devcontainer.json":
    `{\n  "image": "${IMAGE}",\n  "remoteUser": "vscode",\n  "postCreateCommand": "uv sync"\n}\n`,
};

main(async ({ root, vsix, shots }) => {
  const editor = new Editor(root);
  await editor.install(vsix);
  for (const [name, text] of Object.entries(FILES)) {
    const file = path.join(editor.workspace, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
  await editor.serve();
  const page = await editor.page();
  const shot = (name) => page.screenshot({ path: path.join(shots, `devcontainers-${name}.png`) });
  try {
    await composed(editor, page, shot);
    await pressed(editor, page, shots, "web", "Mount the caches that this project needs", ["npm-cache", "uv-cache"]);
    await shot("planner");
    await pressed(editor, page, shots, "one", "Share the uv cache by a volume", ["uv-cache"]);
    await shot("recipe");
    fs.writeFileSync(path.join(editor.workspace, "one/.devcontainer/devcontainer.json"), FILES["one/.devcontainer/devcontainer.json"]);
    await pressed(editor, page, shots, "one", "Share the uv cache with the host", ["localEnv:"]);
    await shot("host");
    await pressed(editor, page, shots, "docked", "Share the uv cache by a volume", ["uv-cache"]);
    await shot("docked");
    const made = ["uv-cache", "external=true", "docker volume create uv-cache"];
    await pressed(editor, page, shots, "composed", "Share the uv cache by a volume", made);
    await shot("composed");
  } catch (error) {
    await shot("failed");
    console.log(`--- the extension's log\n${editor.log()}`);
    throw error;
  }
});

/** The compose file has its squiggle and its hover. */
async function composed(editor, page, shot) {
  const file = path.join(editor.workspace, "api/.devcontainer/compose.yaml");
  await editor.open(page, [["openFile", editor.uri(file)]]);
  const squiggle = page.locator('.monaco-editor[data-uri$="compose.yaml"] .squiggly-warning').first();
  await squiggle.waitFor({ state: "attached" });
  const marked = await squiggle.boundingBox();
  await page.mouse.move(marked.x + marked.width / 3, marked.y + marked.height / 2);
  const hover = page.locator(".monaco-hover:visible").first();
  await hover.locator(".hover-contents", { hasText: "Volume modules" }).first().waitFor();
  say(`compose, language ${await page.locator("#status\\.editor\\.mode").innerText()}`);
  say(`compose hover: ${(await hover.innerText()).replace(/\s+/g, " ")}`);
  await shot("compose");
}

/** A refactoring is pressed, saved, and nothing is found in the file that it leaves. */
async function pressed(editor, page, shots, folder, title, expected) {
  const file = path.join(editor.workspace, folder, ".devcontainer/devcontainer.json");
  await editor.open(page, [["openFile", editor.uri(file)]]);
  await page.locator('.editor-instance .monaco-editor[role="code"][data-uri$="devcontainer.json"]').waitFor();
  await putCaret(page, 2, 3);
  const menu = page.locator(".action-widget .monaco-list-row.action");
  const action = menu.filter({ hasText: title }).first();
  await until(`the action "${title}"`, async () => {
    await page.keyboard.press("Control+Shift+KeyR");
    return action.waitFor({ timeout: 10_000 }).then(() => true, () => false);
  });
  await action.click();
  await page.screenshot({ path: path.join(shots, `devcontainers-pressed-${folder}.png`) });
  await until(`"${title}" is in the editor`, async () => {
    await page.keyboard.press("Control+KeyS");
    const text = fs.readFileSync(file, "utf8");
    return expected.every((part) => text.includes(part)) && text.includes("mounts");
  }, undefined, 1000);
  await page.keyboard.press("Control+Shift+KeyM");
  await page.locator(".markers-panel").waitFor();
  // The server says what it finds within a second; what is not there then is not there.
  await page.waitForTimeout(3000);
  const rows = await page.locator(".markers-panel .monaco-list-row", { hasText: "CK7" }).allInnerTexts();
  const ours = rows.filter((row) => !row.includes("modules"));
  if (ours.length > 0) {
    throw new Error(`"${title}" leaves ${JSON.stringify(ours)} in\n${fs.readFileSync(file, "utf8")}`);
  }
  await page.keyboard.press("Control+Shift+KeyM");
  say(`pressed and clean: ${title}`);
}
