// Starts the Cachekey language server when the first file of its kind is opened. What a cache is,
// the server knows; nothing here does.
import * as vscode from "vscode";
import { Builder } from "./builder";
import { changesLaunch } from "./configuration";
import { Documentation, choose, showMap, showMounts } from "./documentation";
import { onDidChangeEnvironment } from "./python";
import { Server } from "./server";

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
  // What starts builds: links to the Dockerfile, and maps of cache dances that do not fit.
  { scheme: "file", pattern: "**/.github/workflows/*.{yml,yaml}" },
  { scheme: "file", pattern: "**/{,*.,*-}bake{,.*,-*}.{hcl,json}" },
  { scheme: "file", pattern: "**/{,*}.gitlab-ci*.{yml,yaml}" },
];

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Cachekey", { log: true });
  const documentation = new Documentation();
  const running = new Server(context, log, documentation, SELECTOR);
  server = running;
  let wanted = false;
  const openAny = (documents: readonly vscode.TextDocument[]): void => {
    if (!wanted && documents.some((document) => vscode.languages.match(SELECTOR, document) > 0)) {
      wanted = true;
      if (!running.isRunning) {
        void running.restart();
      }
      void onDidChangeEnvironment(() => {
        // The bundled server runs under any Python: a new choice matters only where none would do.
        if (!running.isRunning) {
          void running.restart();
        }
      }).then((listener) => context.subscriptions.push(listener));
    }
  };
  context.subscriptions.push(
    log,
    running,
    documentation.register(),
    vscode.commands.registerCommand("cachekey.restart", () => {
      wanted = true;
      return running.restart();
    }),
    vscode.commands.registerCommand("cachekey.silence", choose),
    vscode.commands.registerCommand("cachekey.showMap", showMap),
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
      if (wanted && changesLaunch(event)) {
        void running.restart();
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      if (wanted) {
        void running.restart();
      }
    }),
  );
  openAny(vscode.workspace.textDocuments);
}

export function deactivate(): Promise<void> | undefined {
  return server?.stop();
}
