// Everything that asks the machine about Pythons: the Python extension, and running one.
import { execFile } from "node:child_process";
import * as vscode from "vscode";
import { type Attempt, type Candidate, probeArguments, readProbe } from "./command";

const PYTHON_EXTENSION = "ms-python.python";
const PROBE_LIMIT_MS = 15_000;
const ACTIVATION_LIMIT_MS = 10_000;

/** The part of the Python extension's public API that is used here. */
interface PythonApi {
  readonly environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(
      path: unknown,
    ): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function pythonApi(): Promise<PythonApi["environments"]> {
  const extension = vscode.extensions.getExtension<PythonApi>(PYTHON_EXTENSION);
  // Whoever wrote the workspace may have chosen its interpreter: only trust makes it the user's.
  if (extension === undefined || !vscode.workspace.isTrusted) {
    return undefined;
  }
  const late = new Promise<undefined>((done) => {
    setTimeout(done, ACTIVATION_LIMIT_MS, undefined).unref();
  });
  const api = await Promise.race([extension.activate(), late]);
  return api?.environments;
}

/** The interpreter chosen in the Python extension, when there is one. Never fails. */
export async function activeEnvironment(log: vscode.LogOutputChannel): Promise<string | undefined> {
  try {
    const environments = await pythonApi();
    const resource = vscode.workspace.workspaceFolders?.[0]?.uri;
    const path = environments?.getActiveEnvironmentPath(resource);
    const environment = await environments?.resolveEnvironment(path);
    return environment?.executable.uri?.fsPath;
  } catch (error) {
    log.warn(`The Python extension did not answer: ${String(error)}`);
    return undefined;
  }
}

/** Calls back when the user picks another interpreter in the Python extension. */
export async function onDidChangeEnvironment(changed: () => void): Promise<vscode.Disposable> {
  try {
    const environments = await pythonApi();
    return environments?.onDidChangeActiveEnvironmentPath(changed) ?? new vscode.Disposable(() => undefined);
  } catch {
    return new vscode.Disposable(() => undefined);
  }
}

/** Runs a candidate once, in the extension's own folder: never with the workspace as its place. */
export function probe(candidate: Candidate, folder: string): Promise<Attempt["outcome"]> {
  const options = { cwd: folder, timeout: PROBE_LIMIT_MS, windowsHide: true };
  return new Promise((resolve) => {
    execFile(candidate.command, probeArguments(candidate), options, (error, stdout) => {
      if (error === null) {
        resolve(readProbe(stdout) ?? { problem: "is not a Python" });
      } else if (error.killed === true) {
        resolve({ problem: "did not answer" });
      } else {
        resolve({ problem: error.code === "ENOENT" ? "was not found" : "could not be run" });
      }
    });
  });
}
