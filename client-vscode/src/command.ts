// Which Python runs the server, and how: pure functions of the settings and of what was probed.
// Nothing here touches the machine or the editor, so that every path can be tested.

export interface Settings {
  /** `cachekey.interpreter`: a command and its arguments; empty for the search. */
  readonly interpreter: readonly string[];
  /** `cachekey.path`: another cachekey to run; empty for the bundled one. */
  readonly path: readonly string[];
}

export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly workspaceFolder: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Layout {
  /** Where the extension is installed. */
  readonly extension: string;
  /** A folder of ours that outlives the session. */
  readonly storage: string;
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** A Python that may do, and who named it. */
export interface Candidate extends Command {
  readonly origin: "setting" | "python-extension" | "path";
}

/** What running a candidate once told. */
export interface Probe {
  readonly version: readonly [number, number, number];
  readonly executable: string;
}

export interface Attempt {
  readonly candidate: Candidate;
  readonly outcome: Probe | { readonly problem: string };
}

export type Choice =
  | { readonly found: Probe; readonly attempts: readonly Attempt[] }
  | { readonly found: undefined; readonly attempts: readonly Attempt[] };

const OLDEST = [3, 10] as const;

/** Runs in any Python since 2.7; the path is in JSON because pipes have no agreed encoding. */
export const PROBE_PROGRAM =
  "import sys, json; " +
  "sys.stdout.write('%d.%d.%d\\n%s' % (sys.version_info[:3] + (json.dumps(sys.executable),)))";

/** The arguments that make a Python say what it is, seeing nothing of the user's packages. */
export function probeArguments(candidate: Command): string[] {
  return [...candidate.args, "-E", "-s", "-S", "-c", PROBE_PROGRAM];
}

/** What a probe printed, or undefined when it is not what a Python prints. */
export function readProbe(output: string): Probe | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\r?\n(".*")\s*$/.exec(output);
  if (match === null) {
    return undefined;
  }
  const executable: unknown = JSON.parse(match[4] ?? '""');
  if (typeof executable !== "string" || executable === "") {
    return undefined;
  }
  return { version: [Number(match[1]), Number(match[2]), Number(match[3])], executable };
}

/** Replaces `~` and the variables that settings of other Python tools understand too. */
export function substitute(word: string, surroundings: Surroundings): string {
  const values: Readonly<Record<string, string | undefined>> = {
    userHome: surroundings.home,
    workspaceFolder: surroundings.workspaceFolder,
  };
  return word
    .replace(/^~(?=$|[/\\])/, () => surroundings.home)
    .replace(/\$\{(?:env:(\w+)|(\w+))\}/g, (whole, variable?: string, name?: string) =>
      variable === undefined
        ? (values[name ?? ""] ?? whole)
        : (surroundings.environment[variable] ?? ""),
    );
}

function toCommand(words: readonly string[], surroundings: Surroundings): Command | undefined {
  const [command, ...args] = words.map((word) => substitute(word, surroundings));
  return command === undefined || command === "" ? undefined : { command, args };
}

/**
 * The Pythons to try, best first. A setting is the user's word and stands alone: going on to
 * another Python behind their back would hide that theirs does not work.
 */
export function candidates(
  settings: Settings,
  activeEnvironment: string | undefined,
  surroundings: Surroundings,
): Candidate[] {
  const chosen = toCommand(settings.interpreter, surroundings);
  if (chosen !== undefined) {
    return [{ ...chosen, origin: "setting" }];
  }
  const found: Candidate[] = [];
  if (activeEnvironment !== undefined) {
    found.push({ command: activeEnvironment, args: [], origin: "python-extension" });
  }
  const usual: Command[] =
    surroundings.platform === "win32"
      ? [
          { command: "py", args: ["-3"] },
          { command: "python", args: [] },
        ]
      : [
          { command: "python3", args: [] },
          { command: "python", args: [] },
        ];
  return [...found, ...usual.map((command) => ({ ...command, origin: "path" as const }))];
}

export function isNewEnough({ version: [major, minor] }: Probe): boolean {
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/** The first candidate that is a new enough Python, with what was seen on the way to it. */
export async function choose(
  order: readonly Candidate[],
  probe: (candidate: Candidate) => Promise<Attempt["outcome"]>,
): Promise<Choice> {
  const attempts: Attempt[] = [];
  for (const candidate of order) {
    const outcome = await probe(candidate);
    attempts.push({ candidate, outcome });
    if ("version" in outcome && isNewEnough(outcome)) {
      return { found: outcome, attempts };
    }
  }
  return { found: undefined, attempts };
}

/** "python3 is 3.8.18", "py -3 was not found". */
export function describeAttempt({ candidate, outcome }: Attempt): string {
  const command = [candidate.command, ...candidate.args].join(" ");
  return "version" in outcome
    ? `${command} is ${outcome.version.join(".")}`
    : `${command} ${outcome.problem}`;
}

/** What the user is told when no candidate will do. VS Code makes links of "[text](command:…)" in it. */
export function failureMessage(attempts: readonly Attempt[]): string {
  const tried = attempts.map(describeAttempt).join(", ").replaceAll("](", "] (");
  const fromSetting = attempts.some(({ candidate }) => candidate.origin === "setting");
  return fromSetting
    ? `Cachekey needs Python 3.10 or newer, but the one in its setting will not do: ${tried}.`
    : `Cachekey needs Python 3.10 or newer and found none: ${tried}.`;
}

/** The user's own cachekey, when the settings name one. */
export function ownServer(settings: Settings, surroundings: Surroundings): Command | undefined {
  const own = toCommand(settings.path, surroundings);
  return own && { command: own.command, args: [...own.args, "lsp"] };
}

/** The command line of a server: the same program without the word that makes it a server. */
export function commandLine(server: Command): Command {
  return { command: server.command, args: server.args.slice(0, -1) };
}

/**
 * The bundled server under this Python: isolated, so that nothing installed on the machine can
 * change it. Isolation hides PYTHONPYCACHEPREFIX as well, hence its twin on the command line:
 * compiled files go into our storage and make every start but the first one faster.
 */
export function bundledServer(python: Probe, layout: Layout): Command {
  const cache = `pycache_prefix=${layout.storage}/pycache`;
  return {
    command: python.executable,
    args: ["-I", "-S", "-X", cache, `${layout.extension}/python/launch.py`, "lsp"],
  };
}
