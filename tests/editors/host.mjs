// Runs host/*.test.cjs inside VS Code's own extension host, on the unpacked VSIX. The page only
// starts it: what is tested is what the extension's API shows, which waits on events and not on pixels.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Editor, main, say } from "./lib.mjs";

const LIMIT_MS = 240_000;
const tests = path.join(path.dirname(fileURLToPath(import.meta.url)), "host");

main(async ({ root, vsix, python }) => {
  const editor = new Editor(root, { "cachekey.interpreter": [python] });
  const unpacked = path.join(root, "unpacked");
  execFileSync("unzip", ["-q", vsix, "-d", unpacked]);
  const results = path.join(root, "results.json");
  // Without this option a released VS Code ignores the payload's test keys without a word.
  await editor.serve(["--vscode-option", "enable-smoke-test-driver"], { CACHEKEY_RESULTS: results });
  const page = await editor.page();
  const ended = new Promise((done) => page.exposeFunction("codeAutomationExit", done));
  await page.exposeFunction("codeAutomationLog", () => undefined);
  const limit = new Promise((done) => setTimeout(done, LIMIT_MS, "time is up").unref());
  await editor.open(page, [
    ["extensionDevelopmentPath", editor.uri(path.join(unpacked, "extension"))],
    ["extensionTestsPath", editor.uri(path.join(tests, "index.cjs"))],
    ["enableProposedApi", ""],
    ["skipWelcome", "true"],
  ]);
  const code = await Promise.race([ended, limit]);
  const report = fs.existsSync(results) ? JSON.parse(fs.readFileSync(results, "utf8")) : undefined;
  for (const test of report?.passes ?? []) {
    say(`ok      ${test.fullTitle}`);
  }
  for (const test of report?.failures ?? []) {
    say(`FAILED  ${test.fullTitle}\n${test.err.stack ?? test.err.message}`);
  }
  if (code !== 0 || !(report?.passes.length > 0)) {
    throw new Error(`the suite ended with: ${code}\n--- the extension's log\n${editor.log()}`);
  }
});
