// The settings that start the server. All others are the server's: it asks for them by itself.
import * as vscode from "vscode";
import type { Settings } from "./command";

const SECTION = "cachekey";

/** What decides which program is started. */
export function launchSettings(): Settings {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  return {
    interpreter: configuration.get<string[]>("interpreter", []),
    path: configuration.get<string[]>("path", []),
  };
}

/** Whether a change of settings asks for another start of the server. */
export function changesLaunch(event: vscode.ConfigurationChangeEvent): boolean {
  return ["interpreter", "path"].some((name) => event.affectsConfiguration(`${SECTION}.${name}`));
}

/**
 * Opens a setting where it counts. In a remote window a setting that names a program belongs to the
 * remote side, and the user's own settings would show nothing under its name.
 */
export function settingsCommand(name: string): vscode.Command & { arguments: unknown[] } {
  const title = "Open Setting";
  return vscode.env.remoteName === undefined
    ? { title, command: "workbench.action.openSettings", arguments: [name] }
    : { title, command: "workbench.action.openRemoteSettings", arguments: [{ query: name }] };
}
