// The example that the walkthrough is about: a Dockerfile that nobody has saved, and its finding.
import * as vscode from "vscode";
import { codeOfFinding } from "./documentation";

const LIMIT_MS = 20_000;
/** What the example is about. */
const WANTED = "CK101";

/** Opens the example, the one that is open already if there is one. */
export async function openExample(extension: vscode.Uri): Promise<vscode.TextEditor> {
  const file = vscode.Uri.joinPath(extension, "walkthrough", "Dockerfile");
  const content = new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
  const open = vscode.workspace.textDocuments.find(
    (one) => one.isUntitled && !one.isClosed && one.getText() === content,
  );
  const document = open ?? (await vscode.workspace.openTextDocument({ language: "dockerfile", content }));
  return vscode.window.showTextDocument(document, { preview: false });
}

/** Opens the example with the caret on its finding, and the menu of what can be done about it. */
export async function showExampleFixes(extension: vscode.Uri): Promise<void> {
  const editor = await openExample(extension);
  const found = await firstFinding(editor.document.uri);
  if (found !== undefined) {
    editor.selection = new vscode.Selection(found.range.start, found.range.start);
    editor.revealRange(found.range);
    await vscode.commands.executeCommand("editor.action.quickFix");
  }
}

/** Waits until the server has read a file; undefined when it has nothing to say for a long time. */
function firstFinding(uri: vscode.Uri): Promise<vscode.Diagnostic | undefined> {
  return new Promise((done) => {
    const look = (): void => {
      const found = vscode.languages.getDiagnostics(uri).find((one) => codeOfFinding(one) === WANTED);
      if (found !== undefined) {
        stop(found);
      }
    };
    const stop = (found?: vscode.Diagnostic): void => {
      listener.dispose();
      clearTimeout(limit);
      done(found);
    };
    const listener = vscode.languages.onDidChangeDiagnostics(look);
    const limit = setTimeout(stop, LIMIT_MS);
    look();
  });
}
