// Shows the rules' documentation, which the server answers its own command with.
import * as vscode from "vscode";
import type { ExecuteCommandMiddleware, StaticFeature } from "vscode-languageclient/node";

type Execute = Required<ExecuteCommandMiddleware>["executeCommand"];

const SCHEME = "cachekey-rule";
const COMMAND = "cachekey.explainRule";

/** Tells the server that it need not put the documentation into a message. */
export const announcement: StaticFeature = {
  fillClientCapabilities(capabilities) {
    const others: unknown = capabilities.experimental;
    const kept = typeof others === "object" ? others : {};
    capabilities.experimental = { ...kept, cachekey: { explainRule: true } };
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
