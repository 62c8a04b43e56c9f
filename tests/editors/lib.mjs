// What the drivers share: code-server and Chromium, started for one test and ended with it.
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

/** One wait. Generous: a busy machine has taken 87 s to draw the first squiggle. */
export const WAIT_MS = 120_000;
/** The window, in pixels. */
export const WIDTH = 1280;
export const HEIGHT = 800;
const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, "../..");
const CODE_SERVER = path.join(ROOT, ".cache/code-server-4.139.1/node_modules");
const NODE = path.join(CODE_SERVER, ".bin/node");
const ENTRY = path.join(CODE_SERVER, "code-server/out/node/entry.js");
const BROWSERS = ["chromium", "chromium-browser", "google-chrome"];

const QUIET = {
  "chat.commandCenter.enabled": false,
  "chat.disableAIFeatures": true,
  "editor.cursorBlinking": "solid",
  "editor.fontSize": 15,
  "editor.hover.above": false,
  "editor.hover.delay": 100,
  "editor.minimap.enabled": false,
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "files.autoSave": "off",
  "files.simpleDialog.enable": true,
  "git.enabled": false,
  "npm.autoDetect": "off",
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "window.restoreWindows": "none",
  "workbench.colorTheme": "Default Dark Modern",
  "workbench.enableExperiments": false,
  "workbench.hover.delay": 100,
  "workbench.reduceMotion": "on",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
};

const started = Date.now();
const cleanups = [];

export function say(text) {
  console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}`);
}

/** Polls for what has no event: the disk, a port, a key that may have to be pressed again. */
export async function until(what, look, limit = WAIT_MS, pause = 50) {
  const end = Date.now() + limit;
  for (;;) {
    const found = await look();
    if (found) {
      return found;
    }
    if (Date.now() > end) {
      throw new Error(`timed out: ${what}`);
    }
    await new Promise((done) => setTimeout(done, pause));
  }
}

function freePort() {
  return new Promise((done) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

function answers(url) {
  return new Promise((done) => {
    const request = http.get(url, (response) => {
      response.resume();
      done(response.statusCode === 200);
    });
    request.on("error", () => done(false));
    request.setTimeout(2000, () => request.destroy());
  });
}

/** A VS Code of its own below `root`: home, settings, extensions and a copy of the workspace. */
export class Editor {
  constructor(root, machine = {}) {
    this.root = root;
    this.workspace = path.join(root, "ws");
    this.home = path.join(root, "home");
    this.data = path.join(root, "data");
    fs.cpSync(path.join(HERE, "workspace"), this.workspace, { recursive: true });
    fs.mkdirSync(path.join(this.data, "User"), { recursive: true });
    fs.mkdirSync(path.join(this.data, "Machine"), { recursive: true });
    fs.mkdirSync(path.join(root, "exts"), { recursive: true });
    fs.mkdirSync(path.join(root, "tmp"), { recursive: true });
    fs.mkdirSync(this.home, { recursive: true });
    fs.writeFileSync(path.join(root, "cs.yaml"), "auth: none\n");
    fs.writeFileSync(path.join(this.data, "User/settings.json"), JSON.stringify(QUIET, null, 2));
    this.setMachine(machine);
  }

  /** Settings of the machine the files are on: what names a program there counts from here only. */
  setMachine(settings) {
    const file = path.join(this.data, "Machine/settings.json");
    fs.writeFileSync(file, JSON.stringify(settings, null, 2));
  }

  /** Writes a file of the workspace from outside of the editor. */
  write(name, text) {
    const file = path.join(this.workspace, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }

  read(name) {
    return fs.readFileSync(path.join(this.workspace, name), "utf8");
  }

  run(args, stdio, extra = {}) {
    const places = {
      HOME: this.home,
      XDG_CONFIG_HOME: path.join(this.home, ".config"),
      XDG_DATA_HOME: path.join(this.home, ".local/share"),
      XDG_CACHE_HOME: path.join(this.home, ".cache"),
      XDG_RUNTIME_DIR: path.join(this.root, "tmp"),
      TMPDIR: path.join(this.root, "tmp"),
    };
    const common = ["--user-data-dir", this.data, "--extensions-dir", path.join(this.root, "exts")];
    const config = ["--config", path.join(this.root, "cs.yaml")];
    const env = { PATH: process.env.PATH, LANG: "C.UTF-8", ...places, ...extra };
    return spawn(NODE, [ENTRY, ...common, ...config, ...args], { env, stdio, detached: true });
  }

  async install(vsix) {
    const output = fs.openSync(path.join(this.root, "install.log"), "w");
    const child = this.run(["--install-extension", vsix, "--force"], ["ignore", output, output]);
    cleanups.push(() => end(child));
    const code = await new Promise((done) => child.once("close", done));
    if (code !== 0) {
      throw new Error(`not installed: ${fs.readFileSync(path.join(this.root, "install.log"), "utf8")}`);
    }
  }

  async serve(extra = [], environment = {}) {
    this.port = await freePort();
    const output = fs.openSync(path.join(this.root, "server.log"), "w");
    const silence = ["--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"];
    const plain = ["--disable-getting-started-override", "--ignore-last-opened", "--disable-proxy"];
    const address = ["--bind-addr", `127.0.0.1:${this.port}`];
    const args = [...address, ...silence, ...plain, ...extra];
    const child = this.run(args, ["ignore", output, output], environment);
    cleanups.push(() => end(child));
    await until("code-server is up", async () => {
      if (child.exitCode !== null) {
        throw new Error(`code-server ended: ${fs.readFileSync(path.join(this.root, "server.log"), "utf8")}`);
      }
      return answers(`http://127.0.0.1:${this.port}/healthz`);
    });
    say("code-server is up");
  }

  /** The remote side's name of a path. */
  uri(file) {
    return `vscode-remote://127.0.0.1:${this.port}${file}`;
  }

  async page() {
    const executablePath = BROWSERS.flatMap((name) =>
      process.env.PATH.split(path.delimiter).map((folder) => path.join(folder, name)),
    ).find((file) => fs.existsSync(file));
    const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
    const still = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
    const browser = await chromium.launch({
      executablePath,
      headless: true,
      args: [...args, ...still],
      handleSIGTERM: false,
      handleSIGINT: false,
    });
    cleanups.push(() => browser.close());
    const context = await browser.newContext({ viewport: { width: WIDTH, height: HEIGHT } });
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    return page;
  }

  async open(page, payload) {
    const query = new URLSearchParams({ folder: this.workspace, payload: JSON.stringify(payload) });
    // Not "load": with everything a workbench fetches, that comes late or never.
    const url = `http://127.0.0.1:${this.port}/?${query}`;
    await page.goto(url, { waitUntil: "commit" });
  }

  /** What the extension wrote into its output channel. */
  log() {
    const logs = path.join(this.data, "logs");
    const files = fs.existsSync(logs) ? fs.readdirSync(logs, { recursive: true }) : [];
    return files
      .filter((name) => name.endsWith("Cachekey.log"))
      .map((name) => fs.readFileSync(path.join(logs, name), "utf8"))
      .join("");
  }
}

/** The open editor of a file, by how its address ends. */
export function view(page, name) {
  return page.locator(`.editor-instance .monaco-editor[role="code"][data-uri$="/${name}"]`);
}

/** Opens the window on a file of the workspace. */
export async function openWindow(editor, page, name) {
  await editor.open(page, [["openFile", editor.uri(path.join(editor.workspace, name))]]);
  await view(page, name).waitFor();
}

/** The entries of the menu that the light bulb opens. */
export function entries(page, text) {
  return page.locator(".action-widget .monaco-list-row.action", text && { hasText: text });
}

/** Presses a key until what it opens is there, and says how often: a busy editor swallows keys. */
export async function press(page, key, wanted) {
  let presses = 0;
  await until(`what ${key} opens`, async () => {
    presses += 1;
    await page.keyboard.press(key);
    return wanted.waitFor({ timeout: 10_000 }).then(() => true, () => false);
  });
  return presses;
}

/** The box for a new name, opened at the caret. */
export async function renameBox(page) {
  const input = page.locator(".rename-box input, .rename-input").first();
  await press(page, "F2", input);
  return input;
}

/** Opens a file of the workspace by its name, as a user does. */
export async function openFile(page, name) {
  await page.keyboard.press("Control+KeyP");
  await page.locator(".quick-input-widget input").fill(name);
  await page.locator(".quick-input-list .monaco-list-row", { hasText: name }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.locator(`.editor-instance .monaco-editor[data-uri$="/${name}"]`).waitFor();
}

/** Runs commands by their titles, as a user does: the first by F1, what it then offers by name, too. */
export async function command(page, ...titles) {
  const input = page.locator(".quick-input-widget input").first();
  const row = (title) => page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first();
  const [first, ...others] = titles;
  // The list is that of the moment it is opened: an extension may come later.
  await until(`the command ${first}`, async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("F1");
    await input.fill(`>${first}`);
    return row(first).waitFor({ timeout: 5_000 }).then(() => true, () => false);
  });
  await row(first).click();
  for (const title of others) {
    await input.fill(title);
    await row(title).click();
  }
}

/** By Go to Line, and proved by the status bar and the focus: the keyboard is where it should be. */
export async function putCaret(page, line, column) {
  await page.keyboard.press("Control+KeyG");
  await page.locator(".quick-input-widget input").fill(`:${line}:${column}`);
  await page.keyboard.press("Enter");
  await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  await page.locator("#status\\.editor\\.selection", { hasText: `Ln ${line}, Col ${column}` }).waitFor();
  await page.locator(".editor-instance .monaco-editor.focused").waitFor();
}

/** Ends a process that was started here with a group of its own, and with it what it started. */
async function end(child) {
  const gone =
    child.exitCode !== null || child.signalCode !== null
      ? Promise.resolve()
      : new Promise((done) => child.once("exit", done));
  signalGroup(child, "SIGTERM");
  const hard = setTimeout(() => signalGroup(child, "SIGKILL"), 10_000);
  await gone;
  clearTimeout(hard);
  // An extension host outlives its server for a while, waiting for a client to come back.
  signalGroup(child, "SIGKILL");
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}

let cleaning;

/** Asked for twice, by a signal and by the story that it broke, it is done once and awaited by both. */
function cleanUp() {
  cleaning ??= (async () => {
    for (const cleanup of cleanups.reverse()) {
      await cleanup().catch((error) => say(`cleaning up: ${error}`));
    }
  })();
  return cleaning;
}

/**
 * Tells a story in an editor with the extension, and these files more; pictures begin with its name. Whatever goes
 * wrong is shown with the extension's log, in which there may be errors only where the story says so.
 */
export function story(name, { files = {}, machine, others = () => [], errors = false }, tell) {
  return main(async (options) => {
    const editor = new Editor(options.root, machine?.(options));
    for (const vsix of [options.vsix, ...others(options)]) {
      await editor.install(vsix);
    }
    for (const [file, text] of Object.entries(files)) {
      editor.write(file, text);
    }
    await editor.serve();
    const page = await editor.page();
    const shot = (what, clip) => page.screenshot({ path: path.join(options.shots, `${name}-${what}.png`), clip });
    try {
      await tell(editor, page, shot, options);
    } catch (error) {
      await shot("failed");
      console.log(`--- the extension's log\n${editor.log()}`);
      throw error;
    }
    if (!errors && /\[error\]/.test(editor.log())) {
      throw new Error(`errors in the extension's log:\n${editor.log()}`);
    }
  });
}

/** Runs a story; whatever happens, nothing of it is left running. */
export async function main(story) {
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, () => cleanUp().then(() => process.exit(1)));
  }
  const options = JSON.parse(process.argv[2]);
  let code = 0;
  try {
    await story(options);
  } catch (error) {
    code = 1;
    console.log(`FAILED: ${error.stack}`);
  }
  await cleanUp();
  say(code === 0 ? "done" : "failed");
  process.exit(code);
}
