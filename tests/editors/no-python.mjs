// What a user without a usable Python sees: one message that says what was tried, its two buttons,
// the language status; and that naming a good interpreter in the setting is all it takes.
import path from "node:path";
import { openFile, openWindow, say, story, until, view } from "./lib.mjs";

const nowhere = ({ root }) => path.join(root, "no-such-python3");
const machine = (options) => ({ "cachekey.interpreter": [nowhere(options)] });

story("no-python", { machine, errors: true }, tell);

async function tell(editor, page, shot, options) {
  const missing = nowhere(options);
  const toast = page.locator(".notification-toast", { hasText: "Cachekey needs Python 3.10" });
  await openWindow(editor, page, "Dockerfile");
  await toast.waitFor();
  say(`message: ${(await toast.innerText()).replace(/\s+/g, " ")}`);
  await toast.getByText(`${missing} was not found`).waitFor();
  if ((await toast.count()) !== 1) {
    throw new Error("one message, not several");
  }
  await toast.getByRole("button", { name: "Show Log" }).waitFor();
  await shot("message");

  await toast.getByRole("button", { name: "Open Setting" }).click();
  const setting = page.locator(".settings-editor .setting-item-contents", { hasText: "Interpreter" });
  await setting.first().waitFor();
  say("the setting is open");
  await shot("setting");

  await page.keyboard.press("Escape");
  await page.locator(".settings-editor").waitFor({ state: "detached" });
  await openFile(page, "Dockerfile");
  await page.locator("#status\\.languageStatus").click();
  await page.locator(".hover-language-status", { hasText: "No Python 3.10" }).waitFor();
  say("the language status says so too");
  await shot("status");

  editor.setMachine({ "cachekey.interpreter": [options.python] });
  await until("the server starts", () => /Starting .*launch\.py lsp/.test(editor.log()));
  await view(page, "Dockerfile").locator(".squiggly-warning").first().waitFor({ state: "attached" });
  say("with a good interpreter in the setting, the squiggle comes without a restart");
}
