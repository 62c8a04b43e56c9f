// What this editor shows by itself when the server asks, or has drawn it: choices, places, the map.
import * as vscode from "vscode";
import type { Server } from "./server";

interface Choice {
  readonly label: string;
  /** What the server wants to have back. */
  readonly data: unknown;
}

/** Shows the ways that a light bulb's entry holds, and sends the one that was picked. */
export async function choose(...choices: Choice[]): Promise<void> {
  const picked = await vscode.window.showQuickPick(choices, {
    placeHolder: "Where shall this be silent?",
  });
  if (picked !== undefined) {
    await vscode.commands.executeCommand("cachekey.apply", picked.data);
  }
}

interface Place {
  readonly uri: string;
  readonly range: { readonly start: Position };
}

interface Position {
  readonly line: number;
  readonly character: number;
}

/** Shows the places that a lens speaks of, as this editor shows references. */
export async function showMounts(uri: string, at: Position, places: Place[]): Promise<void> {
  const position = ({ line, character }: Position): vscode.Position =>
    new vscode.Position(line, character);
  await vscode.commands.executeCommand(
    "editor.action.showReferences",
    vscode.Uri.parse(uri),
    position(at),
    places.map((place) => new vscode.Location(vscode.Uri.parse(place.uri), position(place.range.start))),
  );
}

export interface Page {
  readonly title: string;
  readonly html: string;
}

interface Where {
  readonly viewColumn: vscode.ViewColumn;
  readonly preserveFocus?: boolean;
}

/** Shows the maps that the server draws; a click on a mount opens its line beside. */
export async function showMap(server: Server): Promise<void> {
  const pages = (await server.ask<Page[]>("cachekey.cacheMap")) ?? [];
  if (pages.length === 0) {
    void vscode.window.showInformationMessage("Open a folder or a Dockerfile to see its caches.");
  }
  for (const page of pages) {
    showView("cachekey.map", page.title, page, { viewColumn: vscode.ViewColumn.Active });
  }
}

/** The pages that are open, by what they are about. */
const panels = new Map<string, vscode.WebviewPanel>();

/**
 * Shows a page of the server's; a click on a link in it opens a line. A page about the same thing that is open
 * already is renewed where it is.
 */
export function showView(kind: string, about: string, { title, html }: Page, where: Where): void {
  const name = `${kind} ${about}`;
  const open = panels.get(name);
  if (open !== undefined) {
    open.title = title;
    open.webview.html = html;
    open.reveal(undefined, where.preserveFocus);
    return;
  }
  const panel = vscode.window.createWebviewPanel(kind, title, where, {
    enableScripts: true,
    enableFindWidget: true,
    localResourceRoots: [],
  });
  panels.set(name, panel);
  panel.onDidDispose(() => panels.delete(name));
  panel.webview.html = html;
  panel.webview.onDidReceiveMessage(({ open: link }: { open: string }) => openLine(vscode.Uri.parse(link)));
}

/** Opens the line that a link names behind its `#`: with that, VS Code takes it for another file. */
async function openLine(link: vscode.Uri): Promise<void> {
  const line = Number(/^L(\d+)$/.exec(link.fragment)?.[1] ?? 1) - 1;
  await vscode.window.showTextDocument(link.with({ fragment: "" }), {
    viewColumn: vscode.ViewColumn.One,
    selection: new vscode.Range(line, 0, line, 0),
  });
}

/** Looks at every file of the workspace and shows what is found. */
export async function checkWorkspace(server: Server): Promise<void> {
  if (vscode.workspace.workspaceFolders === undefined) {
    void vscode.window.showInformationMessage("Open a folder to check its files.");
    return;
  }
  await server.ask("cachekey.check");
  await vscode.commands.executeCommand("workbench.actions.view.problems");
}

/** Applies every safe fix of the file in front. */
export async function fixAll(): Promise<void> {
  await vscode.commands.executeCommand("editor.action.codeAction", {
    kind: "source.fixAll.cachekey",
    apply: "first",
  });
}
