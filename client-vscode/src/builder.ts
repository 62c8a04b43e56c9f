// Asks the builder in use, when the user says so and trusts the workspace: runs our own command line,
// hands what it tells to the server, and shows the server's page of it.
import { spawn } from "node:child_process";
import * as vscode from "vscode";
import type { Command } from "./command";
import type { Server } from "./server";
import { type Page, showView } from "./views";

const MOST_SAID = 100_000;

interface Answer {
  readonly output: string;
  readonly errors: string;
  readonly status: number | null;
}

interface Question {
  /** Names the kind of page: one of each kind is open at most. */
  readonly kind: string;
  readonly title: string;
  readonly words: readonly string[];
  /** Where it runs, and what its paths are relative to. */
  readonly folder: vscode.Uri;
  /** The server's command that takes the answer. */
  readonly take: string;
  readonly document?: vscode.Uri;
}

export class Builder implements vscode.Disposable {
  private readonly running = new Set<AbortController>();
  private readonly answers = new Map<string, { readonly take: string; readonly given: unknown }>();
  private readonly commands: vscode.Disposable[];

  constructor(
    private readonly server: Server,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.commands = [
      vscode.commands.registerCommand("cachekey.showBuilder", () => this.showCaches()),
      vscode.commands.registerCommand("cachekey.prove", (uri?: vscode.Uri) => this.prove(uri)),
      server.onDidStart(() => this.remind()),
    ];
  }

  /** A window that closes ends what it has started, and that takes back what it has made. */
  dispose(): void {
    this.running.forEach((one) => {
      one.abort();
    });
    this.commands.forEach((one) => {
      one.dispose();
    });
  }

  private async showCaches(): Promise<void> {
    const folders = vscode.workspace.workspaceFolders ?? [];
    const [first] = folders;
    if (first === undefined) {
      void vscode.window.showInformationMessage("Open a folder: its caches are looked for on the builder.");
      return;
    }
    await this.ask({
      kind: "cachekey.builder",
      title: "Asking the builder for its caches",
      words: ["builder", "--history", "10", ...folders.map(({ uri }) => uri.fsPath)],
      folder: first.uri,
      take: "cachekey.takeCaches",
    });
  }

  private async prove(wanted: vscode.Uri | undefined): Promise<void> {
    const uri = wanted ?? vscode.window.activeTextEditor?.document.uri;
    const document = uri && (await vscode.workspace.openTextDocument(uri));
    if (document === undefined || document.isUntitled || !(await document.save())) {
      void vscode.window.showInformationMessage("Open the Dockerfile that is to be proven, as a file on disk.");
      return;
    }
    await this.ask({
      kind: "cachekey.proof",
      title: "Proving cache mounts",
      words: ["prove", document.uri.fsPath, "--steps"],
      folder: vscode.workspace.getWorkspaceFolder(document.uri)?.uri ?? vscode.Uri.joinPath(document.uri, ".."),
      take: "cachekey.takeProof",
      document: document.uri,
    });
  }

  private async ask(question: Question): Promise<void> {
    if (!vscode.workspace.isTrusted) {
      await this.reportUntrusted();
      return;
    }
    const program = await this.server.program();
    if (program === undefined) {
      return;
    }
    const options = { location: vscode.ProgressLocation.Notification, cancellable: true };
    const answer = await vscode.window.withProgress({ ...options, title: question.title }, (progress, token) => {
      const control = new AbortController();
      token.onCancellationRequested(() => {
        control.abort();
      });
      return this.run(program, question, control, (message) => {
        progress.report({ message });
      });
    });
    if (answer === undefined) {
      return;
    }
    if (answer.status !== 0) {
      this.reportFailure(answer);
      return;
    }
    await this.show(question, answer.output);
  }

  /** Runs the command line; undefined when it was cancelled. */
  private run(
    program: Command,
    { words, folder }: Question,
    control: AbortController,
    told: (line: string) => void,
  ): Promise<Answer | undefined> {
    const builder = vscode.workspace.getConfiguration("cachekey").get<string>("builder", "");
    const chosen = builder === "" ? [] : ["--builder", builder];
    const args = [...program.args, ...words, "--format", "json", ...chosen];
    this.log.info(`Running ${[program.command, ...args].join(" ")}`);
    // On Windows a program of this name in the workspace would be found first.
    const env = { ...process.env, NoDefaultCurrentDirectoryInExePath: "1" };
    this.running.add(control);
    return new Promise<Answer | undefined>((resolve) => {
      const child = spawn(program.command, args, { cwd: folder.fsPath, env, windowsHide: true });
      let output = "";
      let errors = "";
      // Its own word for an interruption: it takes back what it has made, and ends.
      control.signal.addEventListener("abort", () => child.kill("SIGTERM"));
      child.stdin.end();
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        errors = (errors + text).slice(-MOST_SAID);
        told(lastLine(errors));
      });
      child.on("error", (error) => {
        resolve({ output, errors: String(error), status: -1 });
      });
      child.on("close", (status) => {
        resolve(control.signal.aborted ? undefined : { output, errors, status });
      });
    }).finally(() => this.running.delete(control));
  }

  private async show({ kind, take, folder, document }: Question, output: string): Promise<void> {
    const given = { document: JSON.parse(output) as unknown, folder: folder.toString(), uri: document?.toString() };
    this.answers.set(`${kind} ${given.uri ?? ""}`, { take, given });
    const page = await vscode.commands.executeCommand<Page>(take, given);
    // The lines that it speaks of stay in sight, and their editor keeps the focus: VS Code drops a renewal
    // of lenses for an editor that loses it.
    showView(kind, "", page, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true });
  }

  /** Figures stay until the window closes, whatever becomes of the server. */
  private async remind(): Promise<void> {
    for (const { take, given } of this.answers.values()) {
      await vscode.commands.executeCommand(take, given);
    }
  }

  private reportFailure({ errors, status }: Answer): void {
    this.log.error(`It ended with ${String(status)}: ${errors.trim()}`);
    const said = lastLine(errors).replace(/^(cachekey: )?(error: )?/, "");
    void vscode.window.showErrorMessage(`Cachekey: ${said || "no builder answers"}`, "Show Log").then((button) => {
      if (button !== undefined) {
        this.log.show();
      }
    });
  }

  private async reportUntrusted(): Promise<void> {
    const text = "Cachekey asks a builder in trusted workspaces only: a build runs what its files say.";
    const button = await vscode.window.showWarningMessage(text, "Manage Workspace Trust");
    if (button !== undefined) {
      await vscode.commands.executeCommand("workbench.trust.manage");
    }
  }
}

function lastLine(text: string): string {
  return text.trimEnd().split(/\r?\n/).at(-1) ?? "";
}
