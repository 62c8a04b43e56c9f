// A day of writing: a mount is typed in calm and with completion, a lens adds another one, a finding is
// silenced and comes back by Undo, a volume gets a new name everywhere, a server that dies comes back.
import { execFileSync } from "node:child_process";
import { entries, openWindow, putCaret, renameBox, say, story, until, view } from "./lib.mjs";

const FILES = {
  "Dockerfile": "FROM python:3.13\nENV UV_LINK_MODE=copy\n",
  "plain/Dockerfile": "FROM python:3.13\nRUN pip install requests\n",
  "loud/Dockerfile": "FROM debian:13\nRUN --mount=type=cache,target=/root/.cache/pip pip install x && pip cache purge\n",
  "stack/compose.yaml":
    "include: [parts/compose.yaml]\nservices:\n  app:\n    image: debian:13\n    volumes:\n      - modules:/w\nvolumes:\n  modules:\n",
  "stack/parts/compose.yaml": "services:\n  other:\n    image: debian:13\n    volumes:\n      - modules:/x\n",
};
const LINE = "RUN --mount=type=cache,id=uv-cache,target=/root/.cache/uv uv sync --frozen";

// A server that is killed is an error in the log.
story("day", { files: FILES, errors: true }, async (editor, page, shot) => {
  await openWindow(editor, page, "loud/Dockerfile");
  await silenced(editor, page, shot);
  await typed(editor, page, shot);
  await lens(editor, page, shot);
  await renamed(editor, page, shot);
  await survived(editor, page, shot);
});

const button = (page, name) => page.locator(".notification-toast").getByRole("button", { name, exact: true });

/** A rule is turned off: a message says where that is written, and takes it back. */
async function silenced(editor, page, shot) {
  const squiggle = view(page, "loud/Dockerfile").locator(".squiggly-warning").first();
  await squiggle.waitFor({ state: "attached" });
  await putCaret(page, 2, 68);
  const entry = entries(page, "Silence CK305").first();
  const off = page.locator(".quick-input-list .monaco-list-row", { hasText: "Turn CK305" }).first();
  // A list that VS Code makes anew while it is pressed closes without a word: it is opened again.
  await until("the choices of silence", async () => {
    await page.keyboard.press("Control+Period");
    if (!(await entry.waitFor({ timeout: 10_000 }).then(() => true, () => false))) {
      return false;
    }
    say(`entries: ${JSON.stringify(await entries(page).allInnerTexts())}`);
    await shot("entries");
    await entry.click();
    return off.waitFor({ timeout: 10_000 }).then(() => true, () => false);
  });
  await shot("silence");
  await off.click();
  await squiggle.waitFor({ state: "detached" });
  await button(page, "Undo").waitFor();
  say(`told: ${(await page.locator(".notification-toast").first().innerText()).replace(/\s+/g, " ")}`);
  await shot("undo");
  await button(page, "Undo").click();
  await squiggle.waitFor({ state: "attached" });
  say("silenced, and undone");
}

/** A right line is typed key by key: what completion offers fits, and nothing is underlined on the way. */
async function typed(editor, page, shot) {
  await openWindow(editor, page, "Dockerfile");
  const file = view(page, "ws/Dockerfile");
  await file.waitFor();
  await putCaret(page, 3, 1);
  const offers = page.locator(".suggest-widget.visible .monaco-list-row");
  await page.keyboard.type("RUN ");
  // The window was opened a moment ago: until the server is there, VS Code offers the words of the file.
  await until("what fits a python image is offered", async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+Space");
    const pip = offers.filter({ hasText: "for pip" }).first();
    return pip.waitFor({ timeout: 5_000 }).then(() => true, () => false);
  });
  say(`after RUN: ${JSON.stringify((await offers.allInnerTexts()).map((text) => text.replace(/\s+/g, " ")))}`);
  await shot("completion");
  await page.keyboard.press("Escape");
  let seen = await byHand(page, file, LINE.slice(4));
  // On a busy machine the keys themselves come late, and what stands still is rightly taken for what is meant:
  // what flickers by itself does so every time.
  for (let again = 0; seen && again < 6; again++) {
    await page.keyboard.press("Shift+Home");
    await page.keyboard.press("Delete");
    seen = await byHand(page, file, LINE);
  }
  say(`underlined while typing: ${seen}`);
  await until("the line is there", async () => {
    await page.keyboard.press("Control+KeyS");
    return editor.read("Dockerfile").includes("uv sync --frozen");
  }, undefined, 1000);
  if (editor.read("Dockerfile") !== `${FILES.Dockerfile}${LINE}`) {
    throw new Error(`typed: ${editor.read("Dockerfile")}`);
  }
  say("typed in calm");
}

/** Type a text key by key, as fast as people do; returns how often a squiggle was seen on the way. */
async function byHand(page, file, text) {
  let seen = 0;
  let last = Date.now();
  let paused = false;
  for (const key of text) {
    await page.keyboard.type(key);
    await page.waitForTimeout(60);
    // A slow machine types with pauses: then a half-typed word is rightly taken for what is meant.
    paused ||= Date.now() - last > 400;
    last = Date.now();
    seen += paused ? 0 : await file.locator("[class*=squiggly-]").count();
    if (key === "=" || key === ",") {
      // What is offered by itself is not taken: the line is typed by hand.
      await page.keyboard.press("Escape");
    }
  }
  return seen;
}

/** An ordinary line without a cache: its lens adds the mount, and leaves nothing to say. */
async function lens(editor, page, shot) {
  await openWindow(editor, page, "plain/Dockerfile");
  const file = view(page, "plain/Dockerfile");
  const offer = file.locator(".codelens-decoration a", { hasText: "add a cache mount" }).first();
  await offer.waitFor();
  say(`lens: ${await offer.innerText()}`);
  await shot("lens");
  await offer.click();
  await file.locator(".view-line", { hasText: "--mount=type=cache" }).first().waitFor();
  await offer.waitFor({ state: "detached" });
  await shot("added");
  say("a lens adds the mount");
}

/** F2 in a file that another one only includes: the volume is renamed in both. */
async function renamed(editor, page, shot) {
  await openWindow(editor, page, "stack/parts/compose.yaml");
  await putCaret(page, 5, 11);
  const input = await renameBox(page);
  await input.fill("packages");
  await shot("rename");
  await page.keyboard.press("Enter");
  await until("both files have the new name", async () => {
    await page.keyboard.press("Control+KeyK");
    await page.keyboard.press("KeyS");
    const texts = ["stack/compose.yaml", "stack/parts/compose.yaml"].map((name) => editor.read(name));
    return texts.every((text) => text.includes("packages") && !text.includes("modules"));
  }, undefined, 1000);
  say("renamed where it is included from");
}

/** The server is killed as often as it takes: then a message has a button that starts it. */
async function survived(editor, page, shot) {
  await openWindow(editor, page, "loud/Dockerfile");
  const squiggle = view(page, "loud/Dockerfile").locator(".squiggly-warning").first();
  await squiggle.waitFor({ state: "attached" });
  const restart = button(page, "Restart");
  const servers = () => {
    // Only those that this editor runs: their command line names its folder.
    const lines = execFileSync("ps", ["-ww", "-eo", "pid=,args="], { encoding: "utf8" }).split("\n");
    return lines.filter((line) => line.includes(editor.root) && /launch\.py lsp/.test(line)).map((line) => Number.parseInt(line));
  };
  await until("the server has given up", async () => {
    for (const pid of servers()) {
      process.kill(pid, "SIGKILL");
    }
    return restart.isVisible();
  }, undefined, 500);
  await shot("crashed");
  const told = await page.locator(".notification-toast").allInnerTexts();
  say(`told of crashes: ${JSON.stringify(told.map((text) => text.replace(/\s+/g, " ")))}`);
  await restart.click();
  await squiggle.waitFor({ state: "attached" });
  await until("a server runs again", () => servers().length > 0);
  say("restarted by the message's button");
}
