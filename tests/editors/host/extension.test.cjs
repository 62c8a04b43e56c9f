const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const vscode = require("vscode");

const LIMIT_MS = 50_000;
const folder = vscode.workspace.workspaceFolders[0].uri;
const dockerfile = vscode.Uri.joinPath(folder, "Dockerfile");
const devcontainer = vscode.Uri.joinPath(folder, ".devcontainer", "devcontainer.json");

const codeOf = (diagnostic) => diagnostic.code?.value ?? diagnostic.code;
const codesAt = (uri) => vscode.languages.getDiagnostics(uri).map(codeOf);
const is = (code) => (diagnostic) => codeOf(diagnostic) === code;
const has = (code) => (found) => found.some(is(code));
const hasNot = (code) => (found) => !found.some(is(code));

/** Waits on the editor's own event until the file's diagnostics are as wanted. */
function diagnostics(uri, wanted) {
  return new Promise((found, failed) => {
    const look = () => {
      const now = vscode.languages.getDiagnostics(uri);
      if (wanted(now)) {
        listener.dispose();
        clearTimeout(limit);
        found(now);
      }
    };
    const limit = setTimeout(() => {
      listener.dispose();
      failed(new Error(`the diagnostics stayed ${JSON.stringify(codesAt(uri))}`));
    }, LIMIT_MS);
    const listener = vscode.languages.onDidChangeDiagnostics(look);
    look();
  });
}

async function actionsAt(uri, range, kind) {
  const command = "vscode.executeCodeActionProvider";
  // The last argument resolves them: a server may leave the edit for then.
  return vscode.commands.executeCommand(command, uri, range, kind.value, 20);
}

async function undo() {
  await vscode.commands.executeCommand("undo");
}

describe("Cachekey in VS Code", () => {
  let document;

  before(async () => {
    document = await vscode.workspace.openTextDocument(dockerfile);
    await vscode.window.showTextDocument(document);
    await diagnostics(dockerfile, has("CK101"));
  });

  it("is started by a Dockerfile", () => {
    assert.equal(document.languageId, "dockerfile");
    assert.ok(vscode.extensions.getExtension("cachekey.cachekey").isActive);
  });

  it("brings the commands it announces", async () => {
    const extension = vscode.extensions.getExtension("cachekey.cachekey");
    const announced = extension.packageJSON.contributes.commands.map(({ command }) => command);
    const known = await vscode.commands.getCommands(true);
    assert.deepEqual(announced.filter((command) => !known.includes(command)), []);
  });

  it("marks the second mount and points at the first", () => {
    const found = vscode.languages.getDiagnostics(dockerfile).filter(is("CK101"));
    assert.equal(found.length, 1);
    const [split] = found;
    assert.equal(split.source, "cachekey");
    assert.equal(split.severity, vscode.DiagnosticSeverity.Warning);
    assert.match(document.lineAt(split.range.start.line).text, /home\/vscode/);
    const [first] = split.relatedInformation;
    assert.equal(first.location.uri.toString(), dockerfile.toString());
    assert.match(document.lineAt(first.location.range.start.line).text, /\/root\/\.cache\/uv/);
  });

  it("tells the key on hover", async () => {
    const [split] = vscode.languages.getDiagnostics(dockerfile).filter(is("CK101"));
    const command = "vscode.executeHoverProvider";
    const hovers = await vscode.commands.executeCommand(command, dockerfile, split.range.start);
    const text = hovers.flatMap(({ contents }) => contents.map((part) => part.value ?? part)).join("\n");
    assert.match(text, /Cache `\/home\/vscode\/\.cache\/uv`/);
    assert.match(text, /Not shared in this folder, not even with/);
  });

  it("shares the cache with one quick fix, and undo takes it back", async () => {
    const before = document.getText();
    const [split] = vscode.languages.getDiagnostics(dockerfile).filter(is("CK101"));
    const fixes = await actionsAt(dockerfile, split.range, vscode.CodeActionKind.QuickFix);
    const [preferred] = fixes.filter((fix) => fix.isPreferred);
    assert.ok(preferred?.edit, `offered: ${fixes.map(({ title }) => title).join(" | ")}`);
    assert.ok(await vscode.workspace.applyEdit(preferred.edit));
    await diagnostics(dockerfile, hasNot("CK101"));
    assert.equal(document.getText().match(/--mount=type=cache,\S*\bid=[\w-]+/g).length, 2);
    await undo();
    await diagnostics(dockerfile, has("CK101"));
    assert.equal(document.getText(), before);
  });

  it("shows a rule's documentation when asked why", async () => {
    const opened = new Promise((found) => {
      const listener = vscode.workspace.onDidOpenTextDocument((one) => {
        if (one.uri.scheme === "cachekey-rule") {
          listener.dispose();
          found(one);
        }
      });
    });
    await vscode.commands.executeCommand("cachekey.explainRule", "CK101");
    assert.match((await opened).getText(), /## Bad/);
    await vscode.window.showTextDocument(document);
  });

  it("follows the typing", async () => {
    const line = document.lineAt(10);
    const edit = new vscode.WorkspaceEdit();
    edit.replace(dockerfile, line.range, line.text.replace("/home/vscode/.cache/uv", "/root/.cache/uv"));
    await vscode.workspace.applyEdit(edit);
    await diagnostics(dockerfile, hasNot("CK101"));
    await undo();
    await diagnostics(dockerfile, has("CK101"));
  });

  it("obeys its settings at once", async () => {
    const settings = vscode.workspace.getConfiguration("cachekey", folder);
    await settings.update("ignore", ["CK101"], vscode.ConfigurationTarget.Workspace);
    await diagnostics(dockerfile, hasNot("CK101"));
    await settings.update("ignore", undefined, vscode.ConfigurationTarget.Workspace);
    await diagnostics(dockerfile, has("CK101"));
  });

  it("obeys cachekey.toml at once", async () => {
    const file = path.join(folder.fsPath, "cachekey.toml");
    fs.writeFileSync(file, 'ignore = ["CK101"]\n');
    await diagnostics(dockerfile, hasNot("CK101"));
    fs.rmSync(file);
    await diagnostics(dockerfile, has("CK101"));
  });

  it("knows the rules in cachekey.toml", async () => {
    const file = vscode.Uri.joinPath(folder, "sub", "cachekey.toml");
    await vscode.workspace.fs.writeFile(file, Buffer.from('ignore = [""]\n'));
    await vscode.workspace.openTextDocument(file);
    const command = "vscode.executeCompletionItemProvider";
    const { items } = await vscode.commands.executeCommand(command, file, new vscode.Position(0, 11));
    const labels = items.map(({ label }) => label.label ?? label);
    assert.ok(labels.includes("CK201"), `offered: ${labels.join(" ")}`);
  });

  it("finds a cache mount in devcontainer.json, with two ways out", async () => {
    const configuration = await vscode.workspace.openTextDocument(devcontainer);
    await vscode.window.showTextDocument(configuration);
    const found = await diagnostics(devcontainer, has("CK701"));
    const [mount] = found.filter(is("CK701"));
    assert.equal(mount.severity, vscode.DiagnosticSeverity.Error);
    const original = configuration.getText();
    const recipes = [
      [/named volume/, /"type=volume,source=uv-cache,target=\/cache\/uv"/],
      [/^Bind the host.s/, /source=\$\{localEnv:UV_CACHE_DIR\}/],
    ];
    for (const [title, written] of recipes) {
      const fixes = await actionsAt(devcontainer, mount.range, vscode.CodeActionKind.QuickFix);
      const fix = fixes.find((one) => title.test(one.title) && one.edit);
      assert.ok(fix, `offered: ${fixes.map((one) => one.title).join(" | ")}`);
      assert.ok(await vscode.workspace.applyEdit(fix.edit));
      await diagnostics(devcontainer, hasNot("CK701"));
      assert.match(configuration.getText(), written);
      assert.match(configuration.getText(), /"UV_CACHE_DIR": "\/cache\/uv"/);
      assert.match(configuration.getText(), /\/\/ The image is built/);
      await undo();
      await diagnostics(devcontainer, has("CK701"));
      assert.equal(configuration.getText(), original);
    }
    await vscode.window.showTextDocument(document);
  });

  it("checks a Dockerfile that was never saved", async () => {
    const content = "FROM debian\nRUN --mount=type=cache,target=/c,sharing=shred true\n";
    const untitled = await vscode.workspace.openTextDocument({ language: "dockerfile", content });
    await diagnostics(untitled.uri, has("CK601"));
  });

  it("leaves other files alone", async () => {
    const content = "RUN --mount=type=cache,target=/c,sharing=shred true\n";
    const other = await vscode.workspace.openTextDocument({ language: "plaintext", content });
    await vscode.commands.executeCommand("vscode.executeHoverProvider", other.uri, new vscode.Position(0, 8));
    assert.deepEqual(codesAt(other.uri), []);
  });

  it("comes back after a restart", async () => {
    const gone = diagnostics(dockerfile, (now) => now.length === 0);
    await vscode.commands.executeCommand("cachekey.restart");
    await gone;
    await diagnostics(dockerfile, has("CK101"));
  });

  it("survives two restarts at once", async () => {
    const restart = () => vscode.commands.executeCommand("cachekey.restart");
    await Promise.all([restart(), restart()]);
    await diagnostics(dockerfile, has("CK101"));
  });
});
