// The language server's life: found, started, restarted, and shown in the language status.
import { homedir } from "node:os";
import * as vscode from "vscode";
import {
  CloseAction,
  type DocumentFilter,
  ErrorAction,
  type ErrorHandler,
  type ExecuteCommandParams,
  ExecuteCommandRequest,
  LanguageClient,
  RevealOutputChannelOn,
  State,
} from "vscode-languageclient/node";
import * as command from "./command";
import { Crashes } from "./crashes";
import { launchSettings, settingsCommand } from "./configuration";
import { announcement, showPage } from "./documentation";
import { Listener } from "./findings";
import { activeEnvironment, onDidChangeEnvironment, probe } from "./python";
import { Status } from "./status";

/** Tells its troubles to the log: what the user is told, once and with buttons, is ours to say. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private launched: command.Command | undefined;
  private readonly started = new vscode.EventEmitter<void>();
  /** A server has begun, and knows nothing of what another was told. */
  readonly onDidStart = this.started.event;
  private wanted = false;
  private queue: Promise<void> = Promise.resolve();
  private readonly status: Status;
  /** What the server runs under. */
  private interpreter = "";
  private readonly crashes = new Crashes();

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    private readonly selector: readonly (DocumentFilter & vscode.DocumentFilter)[],
  ) {
    this.status = new Status(selector);
  }

  /** Somebody has asked for it: a file of ours was opened, or a command was called. */
  get isWanted(): boolean {
    return this.wanted;
  }

  /** How to run the command line of the server that is running; it is started when it is not. */
  async program(): Promise<command.Command | undefined> {
    if (!this.isRunning) {
      await this.restart();
    }
    return this.isRunning ? this.launched : undefined;
  }

  get isRunning(): boolean {
    return this.client?.state === State.Running;
  }

  /** Starts, or stops and starts again. Calls that overlap happen one after another. */
  restart(): Promise<void> {
    if (!this.wanted) {
      this.wanted = true;
      this.followEnvironment();
    }
    this.queue = this.queue.then(async () => {
      try {
        await this.stopClient();
        this.crashes.forget();
        await this.start();
      } catch (error) {
        this.log.error(String(error));
        this.showError("Server did not start");
      }
    });
    return this.queue;
  }

  /** The bundled server runs under any Python: a new choice of one matters only where none would do. */
  private followEnvironment(): void {
    const changed = (): void => {
      if (!this.isRunning) {
        void this.restart();
      }
    };
    void onDidChangeEnvironment(changed).then((listener) => this.context.subscriptions.push(listener));
  }

  /** Sends a command to the server, which is started if need be; undefined when there is none to be had. */
  async ask<Answer>(name: string, ...args: unknown[]): Promise<Answer | undefined> {
    await this.queue;
    if (!this.isRunning) {
      await this.restart();
    }
    if (this.client?.state !== State.Running) {
      return undefined;
    }
    const params: ExecuteCommandParams = { command: name, arguments: args };
    return (await this.client.sendRequest(ExecuteCommandRequest.type, params)) as Answer | undefined;
  }

  stop(): Promise<void> {
    this.queue = this.queue.then(() => this.stopClient());
    return this.queue;
  }

  dispose(): void {
    this.status.dispose();
    this.started.dispose();
  }

  private async start(): Promise<void> {
    this.status.show({ text: "Starting", busy: true });
    const launch = await this.findCommand();
    if (launch === undefined) {
      return;
    }
    this.launched = command.commandLine(launch);
    this.log.info(`Starting ${[launch.command, ...launch.args].join(" ")}`);
    const listener = new Listener();
    const client = new QuietClient(
      "cachekey",
      "Cachekey",
      {
        command: launch.command,
        args: [...launch.args],
        options: { cwd: this.context.extensionPath },
      },
      {
        // Of a pyproject.toml one table is ours: what may be written there, and nothing else.
        documentSelector: [...this.selector, { scheme: "file", pattern: "**/pyproject.toml" }],
        outputChannel: this.log,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        diagnosticCollectionProvider: listener,
        middleware: {
          executeCommand: showPage,
          provideCodeActions: (document, range, context, token, next) =>
            next(document, listener.reach(document.uri, range), context, token),
        },
        errorHandler: this.errorHandler(),
        // What ends before it has begun is told like what ends later.
        initializationFailedHandler: () => false,
        // Hovers link to pages of ours, and to nothing else that runs.
        markdown: { isTrusted: { enabledCommands: ["cachekey.explainRule"] } },
      },
    );
    client.registerFeature(announcement);
    this.client = client;
    client.onDidChangeState(({ newState }) => {
      if (this.client === client) {
        this.showClientState(newState);
      }
    });
    await client.start();
    this.started.fire();
  }

  /** A server that ends by itself is started again, unless it does so again and again. */
  private errorHandler(): ErrorHandler {
    return {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        if (this.crashes.isWorthAnotherTry(Date.now())) {
          this.log.warn("The server ended; it is started again");
          return { action: CloseAction.Restart, handled: true };
        }
        this.reportCrashes();
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    };
  }

  private reportCrashes(): void {
    const message = "The Cachekey server ended again and again. Its log says why.";
    this.log.error(message);
    void vscode.window.showErrorMessage(message, "Restart", "Show Log").then((button) => {
      if (button === "Restart") {
        void this.restart();
      } else if (button === "Show Log") {
        this.log.show();
      }
    });
  }

  private async stopClient(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      // A server that is gone already, or never came up, cannot be stopped: nothing is lost.
      this.log.debug(`Stopping: ${String(error)}`);
    }
  }

  private async findCommand(): Promise<command.Command | undefined> {
    const settings = launchSettings();
    const surroundings: command.Surroundings = {
      platform: process.platform,
      home: homedir(),
      workspaceFolder: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
      environment: process.env,
    };
    const own = command.ownServer(settings, surroundings);
    if (own !== undefined) {
      this.interpreter = own.command;
      return own;
    }
    const active = settings.interpreter.length === 0 ? await activeEnvironment(this.log) : undefined;
    const order = command.candidates(settings, active, surroundings);
    const folder = this.context.extensionPath;
    const { found, attempts } = await command.choose(order, (one) => probe(one, folder));
    for (const attempt of attempts) {
      this.log.info(`Python: ${command.describeAttempt(attempt)}`);
    }
    if (found === undefined) {
      this.reportNoPython(command.failureMessage(attempts));
      return undefined;
    }
    this.interpreter = `Python ${found.version.join(".")} (${found.executable})`;
    return command.bundledServer(found, {
      extension: this.context.extensionPath,
      storage: this.context.globalStorageUri.fsPath,
    });
  }

  private reportNoPython(message: string): void {
    this.log.error(message);
    const settings = settingsCommand("cachekey.interpreter");
    this.showError("No Python 3.10 or newer", settings);
    void vscode.window.showErrorMessage(message, settings.title, "Show Log").then((button) => {
      if (button === settings.title) {
        void vscode.commands.executeCommand(settings.command, ...settings.arguments);
      } else if (button === "Show Log") {
        this.log.show();
      }
    });
  }

  private showClientState(state: State): void {
    switch (state) {
      case State.Running: {
        const version = this.client?.initializeResult?.serverInfo?.version ?? "";
        this.status.showRunning(`Cachekey ${version}, ${this.interpreter}`);
        break;
      }
      case State.Stopped:
        this.showError("Server stopped", { command: "cachekey.restart", title: "Restart Server" });
        break;
      default:
        this.status.show({ text: "Starting", busy: true });
    }
  }

  private showError(text: string, command?: vscode.Command): void {
    const severity = vscode.LanguageStatusSeverity.Error;
    this.status.show({ text, detail: "see the log", severity, ...(command && { command }) });
  }
}
