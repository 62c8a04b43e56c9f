// What a user without a usable Python sees: one message that says what was tried, its two buttons,
// the language status; and that naming a good interpreter in the setting is all it takes.
import path from "node:path";
import { Editor, main, openFile, say, until } from "./lib.mjs";

main(async ({ root, vsix, shots, python }) => {
  const missing = path.join(root, "no-such-python3");
  const editor = new Editor(root, { "cachekey.interpreter": [missing] });
  await editor.install(vsix);
  await editor.serve();
  const page = await editor.page();
  const shot = (name) => page.screenshot({ path: path.join(shots, `${name}.png`) });
  try {
    await tell(editor, page, shot, { missing, python });
  } catch (error) {
    await shot("no-python-failed");
    console.log(`--- the extension's log\n${editor.log()}`);
    throw error;
  }
});

async function tell(editor, page, shot, { missing, python }) {
  const file = path.join(editor.workspace, "Dockerfile");
  const toast = page.locator(".notification-toast", { hasText: "Cachekey needs Python 3.10" });
  await editor.open(page, [["openFile", editor.uri(file)]]);
  await toast.waitFor();
  say(`message: ${(await toast.innerText()).replace(/\s+/g, " ")}`);
  await toast.getByText(`${missing} was not found`).waitFor();
  if ((await toast.count()) !== 1) {
    throw new Error("one message, not several");
  }
  await toast.getByRole("button", { name: "Show Log" }).waitFor();
  await shot("no-python-message");

  await toast.getByRole("button", { name: "Open Setting" }).click();
  const setting = page.locator(".settings-editor .setting-item-contents", { hasText: "Interpreter" });
  await setting.first().waitFor();
  say("the setting is open");
  await shot("no-python-setting");

  await page.keyboard.press("Escape");
  await page.locator(".settings-editor").waitFor({ state: "detached" });
  await openFile(page, "Dockerfile");
  await page.locator("#status\\.languageStatus").click();
  await page.locator(".hover-language-status", { hasText: "No Python 3.10" }).waitFor();
  say("the language status says so too");
  await shot("no-python-status");

  editor.setMachine({ "cachekey.interpreter": [python] });
  await until("the server starts", () => /Starting .*launch\.py lsp/.test(editor.log()));
  await page.locator('.monaco-editor[data-uri$="/Dockerfile"] .squiggly-warning').first().waitFor({ state: "attached" });
  say("with a good interpreter in the setting, the squiggle comes without a restart");
}
