// Stands in for another server in the same window: it marks words that are no instructions, and has
// something to say about every word.
const vscode = require("vscode");

const KNOWN = /^\s*(#.*|(FROM|RUN|COPY|ENV|ARG|USER|WORKDIR|CMD)\b.*)?$/;

exports.activate = (context) => {
  const collection = vscode.languages.createDiagnosticCollection("docker");
  const look = (document) => {
    if (document.languageId !== "dockerfile") {
      return;
    }
    const lines = document.getText().split(/\r?\n/);
    const wrong = lines.flatMap((line, number) => (KNOWN.test(line) ? [] : [number]));
    const found = wrong.map((number) => {
      const range = document.lineAt(number).range;
      return new vscode.Diagnostic(range, "unknown instruction", vscode.DiagnosticSeverity.Error);
    });
    collection.set(document.uri, found);
  };
  const hover = { provideHover: () => new vscode.Hover("Docker says: **RUN** executes a command.") };
  context.subscriptions.push(
    collection,
    vscode.languages.registerHoverProvider("dockerfile", hover),
    vscode.workspace.onDidOpenTextDocument(look),
    vscode.workspace.onDidChangeTextDocument(({ document }) => look(document)),
  );
  vscode.workspace.textDocuments.forEach(look);
};
