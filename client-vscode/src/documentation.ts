// The rules' pages: documents that the server writes, shown as Markdown, no website needed.
import * as vscode from "vscode";
import type { ExecuteCommandMiddleware, StaticFeature } from "vscode-languageclient/node";
import type { Server } from "./server";

type Execute = Required<ExecuteCommandMiddleware>["executeCommand"];

const SCHEME = "cachekey-rule";
const SHOW = "cachekey.explainRule";
const PREVIEW = "vscode.markdown.preview.editor";
const KEYS = { label: "keys", description: "How the key of a cache mount works" };

/** Extensions with a server for Dockerfiles: what all of them say is said once. */
const OTHERS = ["ms-azuretools.vscode-containers", "ms-azuretools.vscode-docker", "docker.docker"];

/** Tells the server what it may leave to us, and to others. */
export const announcement: StaticFeature = {
  fillClientCapabilities(capabilities) {
    const given: unknown = capabilities.experimental;
    const kept = typeof given === "object" ? given : {};
    const others = OTHERS.some((name) => vscode.extensions.getExtension(name) !== undefined);
    const own = { explainRule: true, silence: true, rulePages: `${SCHEME}:/`, others };
    capabilities.experimental = { ...kept, cachekey: own };
  },
  initialize: () => undefined,
  getState: () => ({ kind: "static" }),
  clear: () => undefined,
};

/** The server's command that tells a rule's page is ours to answer: by showing it. */
export const showPage: Execute = (command, args, next) =>
  command === SHOW ? openPage(String(args[0])) : (next(command, args) as Thenable<unknown>);

/** Opens the page of a rule, or the one on keys. */
async function openPage(code: string): Promise<void> {
  const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${code}.md` });
  await vscode.commands.executeCommand("vscode.openWith", uri, PREVIEW);
}

interface Rule {
  readonly code: string;
  readonly name: string;
  readonly summary: string;
}

/** Serves the pages, asks which one, and opens the one that a `vscode://` link names. */
export function registerDocumentation(server: Server): vscode.Disposable {
  const pages: vscode.TextDocumentContentProvider = {
    provideTextDocumentContent: (uri) => server.ask<string>(SHOW, codeOf(uri.path)),
  };
  const links: vscode.UriHandler = {
    handleUri: (uri) => openPage(codeOf(uri.path)),
  };
  return vscode.Disposable.from(
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, pages),
    vscode.window.registerUriHandler(links),
    vscode.commands.registerCommand("cachekey.explain", () => choosePage(server)),
  );
}

/** "/rules/CK101.md" and "/CK101" name CK101; what is no code or name stays out of commands. */
function codeOf(path: string): string {
  return /([\w-]+)(?:\.md)?$/.exec(path)?.[1] ?? "";
}

async function choosePage(server: Server): Promise<void> {
  const rules = (await server.ask<Rule[]>("cachekey.rules")) ?? [];
  const uri = vscode.window.activeTextEditor?.document.uri;
  const found = new Set(uri === undefined ? [] : vscode.languages.getDiagnostics(uri).map(codeOfFinding));
  const items = rules.map(({ code, name, summary }) => ({ label: code, description: name, detail: summary }));
  const heading = (label: string): vscode.QuickPickItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const here = items.filter(({ label }) => found.has(label));
  const others = items.filter(({ label }) => !found.has(label));
  const picked = await vscode.window.showQuickPick(
    [...(here.length > 0 ? [heading("In this file"), ...here] : []), heading("All rules"), KEYS, ...others],
    { placeHolder: "Which rule?", matchOnDescription: true, matchOnDetail: true },
  );
  if (picked !== undefined) {
    await openPage(picked.label);
  }
}

/** A code is a link where it has a page. */
export function codeOfFinding({ code }: vscode.Diagnostic): string {
  return String(typeof code === "object" ? code.value : code);
}
