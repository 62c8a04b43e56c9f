// Dev containers as a user sees them: a compose file is checked and explained, and the recipes and
// the planner, pressed in the editor, leave nothing to say.
import { entries, openWindow, press, putCaret, say, story, until, view } from "./lib.mjs";

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

story("devcontainers", { files: FILES, errors: true }, async (editor, page, shot) => {
  await composed(editor, page, shot);
  await pressed(editor, page, shot, "web", "Mount the caches that this project needs", ["npm-cache", "uv-cache"]);
  await shot("planner");
  await pressed(editor, page, shot, "one", "Share the uv cache by a volume", ["uv-cache"]);
  await shot("recipe");
  editor.write("one/.devcontainer/devcontainer.json", FILES["one/.devcontainer/devcontainer.json"]);
  await pressed(editor, page, shot, "one", "Share the uv cache with the host", ["localEnv:"]);
  await shot("host");
  await pressed(editor, page, shot, "docked", "Share the uv cache by a volume", ["uv-cache"]);
  await shot("docked");
  const made = ["uv-cache", "external=true", "docker volume create uv-cache"];
  await pressed(editor, page, shot, "composed", "Share the uv cache by a volume", made);
  await shot("composed");
});

/** The compose file has its squiggle and its hover. */
async function composed(editor, page, shot) {
  await openWindow(editor, page, "api/.devcontainer/compose.yaml");
  const squiggle = view(page, "compose.yaml").locator(".squiggly-warning").first();
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
async function pressed(editor, page, shot, folder, title, expected) {
  const file = `${folder}/.devcontainer/devcontainer.json`;
  await openWindow(editor, page, file);
  await putCaret(page, 2, 3);
  const action = entries(page, title).first();
  await press(page, "Control+Shift+KeyR", action);
  await action.click();
  await shot(`pressed-${folder}`);
  await until(`"${title}" is in the editor`, async () => {
    await page.keyboard.press("Control+KeyS");
    const text = editor.read(file);
    return expected.every((part) => text.includes(part)) && text.includes("mounts");
  }, undefined, 1000);
  await page.keyboard.press("Control+Shift+KeyM");
  await page.locator(".markers-panel").waitFor();
  // The server says what it finds within a second; what is not there then is not there.
  await page.waitForTimeout(3000);
  const rows = await page.locator(".markers-panel .monaco-list-row", { hasText: "CK7" }).allInnerTexts();
  const ours = rows.filter((row) => !row.includes("modules"));
  if (ours.length > 0) {
    throw new Error(`"${title}" leaves ${JSON.stringify(ours)} in\n${editor.read(file)}`);
  }
  await page.keyboard.press("Control+Shift+KeyM");
  say(`pressed and clean: ${title}`);
}
