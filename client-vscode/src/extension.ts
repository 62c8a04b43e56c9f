// Starts the Cachekey language server when the first file of its kind is opened. What a cache is,
// the server knows; nothing here does.
import * as vscode from "vscode";
import { Builder } from "./builder";
import { changesLaunch } from "./configuration";
import { registerDocumentation } from "./documentation";
import { openExample, showExampleFixes } from "./example";
import { Server } from "./server";
import { checkWorkspace, choose, fixAll, showMap, showMounts } from "./views";

const SELECTOR = [
  { scheme: "file", language: "dockerfile" },
  { scheme: "untitled", language: "dockerfile" },
  // Names that VS Code does not take for Dockerfiles by itself, such as Dockerfile-dev.
  { scheme: "file", language: "plaintext", pattern: "**/{Dockerfile,Containerfile}*" },
  { scheme: "file", pattern: "**/*.{dockerfile,Dockerfile,containerfile}" },
  { scheme: "file", pattern: "**/{devcontainer,.devcontainer,devcontainer-feature}.json" },
  { scheme: "file", language: "dockercompose" },
  // Where no extension knows that language.
  {
    scheme: "file",
    language: "yaml",
    pattern: "**/{compose,docker-compose}{,.*,-*,_*}.{yml,yaml}",
  },
  // The server knows which of these a devcontainer.json names.
  { scheme: "file", language: "yaml", pattern: "**/.devcontainer/**/*.{yml,yaml}" },
  // What starts builds: links to the Dockerfile, and maps of cache dances that do not fit.
  { scheme: "file", pattern: "**/.github/workflows/*.{yml,yaml}" },
  { scheme: "file", pattern: "**/{,*.,*-}bake{,.*,-*}.{hcl,json}" },
  { scheme: "file", pattern: "**/{,*}.gitlab-ci*.{yml,yaml}" },
  { scheme: "file", pattern: "**/cachekey.toml" },
];

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Cachekey", { log: true });
  const running = new Server(context, log, SELECTOR);
  server = running;
  const openAny = (documents: readonly vscode.TextDocument[]): void => {
    const ours = (document: vscode.TextDocument): boolean => vscode.languages.match(SELECTOR, document) > 0;
    if (!running.isWanted && documents.some(ours)) {
      void running.restart();
    }
  };
  context.subscriptions.push(
    log,
    running,
    registerDocumentation(running),
    vscode.commands.registerCommand("cachekey.restart", () => running.restart()),
    vscode.commands.registerCommand("cachekey.silence", choose),
    vscode.commands.registerCommand("cachekey.showMap", () => showMap(running)),
    vscode.commands.registerCommand("cachekey.checkWorkspace", () => checkWorkspace(running)),
    vscode.commands.registerCommand("cachekey.fixAll", fixAll),
    vscode.commands.registerCommand("cachekey.openExample", () => openExample(context.extensionUri)),
    vscode.commands.registerCommand("cachekey.showExampleFixes", () =>
      showExampleFixes(context.extensionUri),
    ),
    new Builder(running, log),
    vscode.commands.registerCommand("cachekey.copy", (text: string) => vscode.env.clipboard.writeText(text)),
    vscode.commands.registerCommand("cachekey.showMounts", showMounts),
    vscode.commands.registerCommand("cachekey.showLog", () => {
      log.show();
    }),
    vscode.workspace.onDidOpenTextDocument((document) => {
      openAny([document]);
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (running.isWanted && changesLaunch(event)) {
        void running.restart();
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      if (running.isWanted) {
        void running.restart();
      }
    }),
  );
  openAny(vscode.workspace.textDocuments);
}

export function deactivate(): Promise<void> | undefined {
  return server?.stop();
}
