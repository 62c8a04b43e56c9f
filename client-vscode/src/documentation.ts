// What this editor shows by itself when the server asks: a rule's documentation, a choice.
import * as vscode from "vscode";
import type { ExecuteCommandMiddleware, StaticFeature } from "vscode-languageclient/node";

type Execute = Required<ExecuteCommandMiddleware>["executeCommand"];

const SCHEME = "cachekey-rule";
const COMMAND = "cachekey.explainRule";

/** Tells the server what it may leave to us. */
export const announcement: StaticFeature = {
  fillClientCapabilities(capabilities) {
    const others: unknown = capabilities.experimental;
    const kept = typeof others === "object" ? others : {};
    capabilities.experimental = { ...kept, cachekey: { explainRule: true, silence: true } };
  },
  initialize: () => undefined,
  getState: () => ({ kind: "static" }),
  clear: () => undefined,
};

/** Documents of the rules, as read-only Markdown. */
export class Documentation implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();

  readonly executeCommand: Execute = async (command, args, next) => {
    const answer: unknown = await next(command, args);
    if (command === COMMAND && typeof answer === "string") {
      const uri = vscode.Uri.from({ scheme: SCHEME, path: `${String(args[0])}.md` });
      this.texts.set(uri.toString(), answer);
      await vscode.commands.executeCommand("markdown.showPreview", uri);
    }
    return answer;
  };

  register(): vscode.Disposable {
    return vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  provideTextDocumentContent(uri: vscode.Uri): string | undefined {
    return this.texts.get(uri.toString());
  }
}

interface Choice {
  readonly label: string;
  /** What the server wants to have back. */
  readonly data: unknown;
}

/** Shows the ways that a light bulb's entry holds, and sends the one that was picked. */
export async function choose(...choices: Choice[]): Promise<void> {
  const picked = await vscode.window.showQuickPick(choices, {
    placeHolder: "How shall it be silent?",
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

/** Shows the maps that the server draws; a click on a mount opens its line. */
export async function showMap(): Promise<void> {
  const pages = (await vscode.commands.executeCommand<Page[] | undefined>("cachekey.cacheMap")) ?? [];
  for (const page of pages) {
    showPage("cachekey.map", page);
  }
}

/** Shows a page of the server's beside the editor; a click on a link in it opens a line. */
export function showPage(kind: string, { title, html }: Page): vscode.WebviewPanel {
  const panel = vscode.window.createWebviewPanel(kind, title, vscode.ViewColumn.Beside, {
    enableScripts: true,
    enableFindWidget: true,
    localResourceRoots: [],
  });
  panel.webview.html = html;
  panel.webview.onDidReceiveMessage(({ open }: { open: string }) => openLine(vscode.Uri.parse(open)));
  return panel;
}

/** Opens the line that a link names behind its `#`: with that, VS Code takes it for another file. */
async function openLine(link: vscode.Uri): Promise<void> {
  const line = Number(/^L(\d+)$/.exec(link.fragment)?.[1] ?? 1) - 1;
  await vscode.window.showTextDocument(link.with({ fragment: "" }), {
    viewColumn: vscode.ViewColumn.One,
    selection: new vscode.Range(line, 0, line, 0),
  });
}
