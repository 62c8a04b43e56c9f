// What stands behind the braces in the status bar: the server's state, what it runs under, what it found.
import * as vscode from "vscode";

/** What a state says, and what pressing it does. */
export interface State {
  readonly text: string;
  readonly detail?: string;
  readonly severity?: vscode.LanguageStatusSeverity;
  readonly busy?: boolean;
  readonly command?: vscode.Command;
}

const SHOW_LOG = { command: "cachekey.showLog", title: "Show Log" };
const SHOW_PROBLEMS = { command: "workbench.actions.view.problems", title: "Show Problems" };

/** The language status item of the files that Cachekey reads. */
export class Status implements vscode.Disposable {
  private readonly item: vscode.LanguageStatusItem;
  private readonly listeners: vscode.Disposable[];
  /** Version and interpreter while the server runs. */
  private running: string | undefined;

  constructor(private readonly selector: vscode.DocumentSelector) {
    this.item = vscode.languages.createLanguageStatusItem("cachekey", selector);
    this.item.name = "Cachekey";
    const count = (): void => {
      this.showFindings();
    };
    this.listeners = [
      vscode.languages.onDidChangeDiagnostics(count),
      vscode.window.onDidChangeActiveTextEditor(count),
    ];
  }

  /** Says that the server is not at work. */
  show(state: State): void {
    this.running = undefined;
    this.write(state);
  }

  /** From now on the findings of the file in front are shown, and below them who looks for them. */
  showRunning(detail: string): void {
    this.running = detail;
    this.showFindings();
  }

  dispose(): void {
    this.item.dispose();
    for (const listener of this.listeners) {
      listener.dispose();
    }
  }

  private showFindings(): void {
    const document = vscode.window.activeTextEditor?.document;
    if (this.running === undefined || document === undefined) {
      return;
    }
    if (vscode.languages.match(this.selector, document) === 0) {
      return;
    }
    const found = vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source === "cachekey");
    // Problems does not list hints.
    const hints = found.filter(({ severity }) => severity === vscode.DiagnosticSeverity.Hint).length;
    const listed = found.length - hints;
    this.write({
      text: `${count(listed, "finding")}${hints === 0 ? "" : `, ${count(hints, "hint")}`}`,
      detail: this.running,
      command: listed === 0 ? SHOW_LOG : SHOW_PROBLEMS,
    });
  }

  private write(state: State): void {
    this.item.text = state.text;
    this.item.detail = state.detail ?? "";
    this.item.severity = state.severity ?? vscode.LanguageStatusSeverity.Information;
    this.item.busy = state.busy ?? false;
    this.item.command = state.command ?? SHOW_LOG;
  }
}

function count(number: number, what: string): string {
  return `${number === 0 ? "No" : number} ${what}${number === 1 ? "" : "s"}`;
}
