// What the server finds, as Problems shows it: what another extension says in the same words is said once.
// Docker's hands on what BuildKit says of the whole instruction; ours stays silent then, and its fixes are
// offered wherever the other one's squiggle is.
import * as vscode from "vscode";
import type { DiagnosticCollectionProvider } from "vscode-languageclient/node";
import { type Said, isEcho } from "./echoes";

const SOURCE = "cachekey";

/** The collection that the client writes into: a file's findings, less those that somebody else tells. */
class Findings implements vscode.DiagnosticCollection {
  private readonly shown: vscode.DiagnosticCollection;
  private readonly found = new Map<string, readonly vscode.Diagnostic[]>();
  private readonly listener: vscode.Disposable;

  constructor(readonly name: string) {
    this.shown = vscode.languages.createDiagnosticCollection(name);
    this.listener = vscode.languages.onDidChangeDiagnostics(({ uris }) => {
      for (const uri of uris) {
        this.show(uri);
      }
    });
  }

  set(
    place: vscode.Uri | readonly [vscode.Uri, readonly vscode.Diagnostic[] | undefined][],
    items?: readonly vscode.Diagnostic[],
  ): void {
    if (!(place instanceof vscode.Uri)) {
      for (const [uri, some] of place) {
        this.set(uri, some);
      }
      return;
    }
    this.found.set(place.toString(), items ?? []);
    this.show(place);
  }

  /** Shows what nobody else says; where that is shown already, nothing is touched. */
  private show(uri: vscode.Uri): void {
    const found = this.found.get(uri.toString());
    if (found === undefined) {
      return;
    }
    const others = told(uri);
    const wanted = found.filter((ours) => !others.some((other) => isEcho(said(ours), said(other))));
    const now = this.shown.get(uri) ?? [];
    if (wanted.length !== now.length || wanted.some((item, index) => item !== now[index])) {
      this.shown.set(uri, wanted);
    }
  }

  /** A range, and with it the findings for which another one's squiggle stands there. */
  reach(uri: vscode.Uri, range: vscode.Range): vscode.Range {
    const others = told(uri).filter((other) => other.range.intersection(range) !== undefined);
    const hidden = (this.found.get(uri.toString()) ?? []).filter((ours) =>
      others.some((other) => isEcho(said(ours), said(other))),
    );
    return hidden.reduce((all, ours) => all.union(ours.range), new vscode.Range(range.start, range.end));
  }

  delete(uri: vscode.Uri): void {
    this.found.delete(uri.toString());
    this.shown.delete(uri);
  }

  clear(): void {
    this.found.clear();
    this.shown.clear();
  }

  get(uri: vscode.Uri): readonly vscode.Diagnostic[] | undefined {
    return this.shown.get(uri);
  }

  has(uri: vscode.Uri): boolean {
    return this.shown.has(uri);
  }

  forEach(callback: Parameters<vscode.DiagnosticCollection["forEach"]>[0], self?: unknown): void {
    this.shown.forEach(callback, self);
  }

  [Symbol.iterator](): Iterator<[uri: vscode.Uri, diagnostics: readonly vscode.Diagnostic[]]> {
    return this.shown[Symbol.iterator]();
  }

  dispose(): void {
    this.listener.dispose();
    this.found.clear();
    this.shown.dispose();
  }
}

/** Makes the client's collections, and tells from where a place's fixes are to be asked for. */
export class Listener implements DiagnosticCollectionProvider {
  private readonly collections = new Map<vscode.DiagnosticCollection, Findings>();

  create(name: string | undefined): vscode.DiagnosticCollection {
    const made = new Findings(name ?? SOURCE);
    this.collections.set(made, made);
    return made;
  }

  dispose(collection: vscode.DiagnosticCollection): void {
    collection.dispose();
    this.collections.delete(collection);
  }

  reach(uri: vscode.Uri, range: vscode.Range): vscode.Range {
    return [...this.collections.values()].reduce((all, one) => one.reach(uri, all), range);
  }
}

function told(uri: vscode.Uri): vscode.Diagnostic[] {
  return vscode.languages.getDiagnostics(uri).filter(({ source }) => source !== SOURCE);
}

function said({ range, message }: vscode.Diagnostic): Said {
  return { firstLine: range.start.line, lastLine: range.end.line, message };
}
