import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import {
  type Attempt,
  type Candidate,
  PROBE_PROGRAM,
  type Surroundings,
  bundledServer,
  candidates,
  choose,
  describeAttempt,
  failureMessage,
  isNewEnough,
  ownServer,
  probeArguments,
  readProbe,
  substitute,
} from "../command";

const linux: Surroundings = {
  platform: "linux",
  home: "/home/ada",
  workspaceFolder: "/src/app",
  environment: { TOOLS: "/opt/tools" },
};
const windows: Surroundings = { ...linux, platform: "win32", home: "C:\\Users\\ada" };
const nothingSet = { interpreter: [], path: [] };
const python3: Candidate = { command: "python3", args: [], origin: "path" };
const py3: Candidate = { command: "py", args: ["-3"], origin: "path" };

function version(major: number, minor: number): { version: [number, number, number]; executable: string } {
  return { version: [major, minor, 1], executable: `/usr/bin/python${major}.${minor}` };
}

function words(found: readonly Candidate[]): string[] {
  return found.map(({ command, args, origin }) => `${origin}: ${[command, ...args].join(" ")}`);
}

describe("candidates", () => {
  it("are the usual names when nothing is set", () => {
    assert.deepEqual(words(candidates(nothingSet, undefined, linux)), ["path: python3", "path: python"]);
  });

  it("are the launcher first on Windows", () => {
    assert.deepEqual(words(candidates(nothingSet, undefined, windows)), ["path: py -3", "path: python"]);
  });

  it("begin with the Python extension's choice", () => {
    assert.deepEqual(words(candidates(nothingSet, "/src/app/.venv/bin/python", linux)), [
      "python-extension: /src/app/.venv/bin/python",
      "path: python3",
      "path: python",
    ]);
  });

  it("are the setting alone, so that it cannot fail unseen", () => {
    const settings = { interpreter: ["py", "-3.12"], path: [] };
    assert.deepEqual(words(candidates(settings, "/other/python", windows)), ["setting: py -3.12"]);
  });

  it("do not take an empty setting for a command", () => {
    const settings = { interpreter: [""], path: [] };
    assert.deepEqual(words(candidates(settings, undefined, linux)), ["path: python3", "path: python"]);
  });
});

describe("substitute", () => {
  it("knows the home folder, the workspace and the environment", () => {
    assert.equal(substitute("~/bin/python", linux), "/home/ada/bin/python");
    assert.equal(substitute("${userHome}/x", linux), "/home/ada/x");
    assert.equal(substitute("${workspaceFolder}/.venv/bin/python", linux), "/src/app/.venv/bin/python");
    assert.equal(substitute("${env:TOOLS}/python", linux), "/opt/tools/python");
    assert.equal(substitute("~\\python.exe", windows), "C:\\Users\\ada\\python.exe");
  });

  it("leaves what it does not know as it is", () => {
    assert.equal(substitute("${command:pick}", linux), "${command:pick}");
    assert.equal(substitute("${workspaceFolder}/p", { ...linux, workspaceFolder: undefined }), "${workspaceFolder}/p");
    assert.equal(substitute("~ada/python", linux), "~ada/python");
    assert.equal(substitute("a~/b", linux), "a~/b");
  });

  it("empties an environment variable that is not set", () => {
    assert.equal(substitute("${env:NONE}python3", linux), "python3");
  });

  it("takes replacement patterns in a path literally", () => {
    assert.equal(substitute("~/p", { ...linux, home: "/home/$&" }), "/home/$&/p");
    assert.equal(substitute("${userHome}/p", { ...linux, home: "/home/$&" }), "/home/$&/p");
  });
});

describe("readProbe", () => {
  it("reads version and path", () => {
    const expected = { version: [3, 12, 4], executable: "/usr/bin/python3" };
    assert.deepEqual(readProbe('3.12.4\n"/usr/bin/python3"'), expected);
    assert.deepEqual(readProbe('3.12.4\r\n"/usr/bin/python3"\r\n'), expected);
  });

  it("decodes what JSON escaped", () => {
    assert.equal(readProbe('3.12.4\n"C:\\\\Zo\\u00eb\\\\python.exe"')?.executable, "C:\\Zoë\\python.exe");
  });

  it("does not take other programs for a Python", () => {
    assert.equal(readProbe(""), undefined);
    assert.equal(readProbe("v20.1.0"), undefined);
    assert.equal(readProbe('3.12.4\n""'), undefined);
  });

  it("understands what the program prints in the Python of this machine", () => {
    const output = execFileSync("python3", ["-c", PROBE_PROGRAM], { encoding: "utf8" });
    const probe = readProbe(output);
    assert.equal(probe?.version[0], 3, output);
    assert.equal(execFileSync(probe.executable, probeArguments({ command: "", args: [] }), { encoding: "utf8" }), output);
  });
});

describe("choose", () => {
  it("takes the first that is new enough and asks no further", async () => {
    const asked: string[] = [];
    const choice = await choose([python3, py3], (candidate) => {
      asked.push(candidate.command);
      return Promise.resolve(version(3, 13));
    });
    assert.equal(choice.found?.executable, "/usr/bin/python3.13");
    assert.deepEqual(asked, ["python3"]);
  });

  it("passes over a missing one and an old one", async () => {
    const outcomes: Record<string, Attempt["outcome"]> = {
      python3: version(3, 9),
      python: { problem: "was not found" },
      py: version(3, 10),
    };
    const python: Candidate = { command: "python", args: [], origin: "path" };
    const choice = await choose([python3, python, py3], ({ command }) =>
      Promise.resolve(outcomes[command] ?? { problem: "was not asked for" }),
    );
    assert.equal(choice.found?.executable, "/usr/bin/python3.10");
    assert.deepEqual(choice.attempts.map(describeAttempt), [
      "python3 is 3.9.1",
      "python was not found",
      "py -3 is 3.10.1",
    ]);
  });

  it("tells all it saw when none will do", async () => {
    const choice = await choose([python3, py3], () => Promise.resolve({ problem: "was not found" }));
    assert.equal(choice.found, undefined);
    assert.equal(
      failureMessage(choice.attempts),
      "Cachekey needs Python 3.10 or newer and found none: python3 was not found, py -3 was not found.",
    );
  });

  it("makes no link of what a setting holds", () => {
    const candidate: Candidate = { command: "[x](command:y)", args: [], origin: "setting" };
    assert.doesNotMatch(failureMessage([{ candidate, outcome: { problem: "was not found" } }]), /\]\(/);
  });

  it("names the setting when the setting is at fault", () => {
    const candidate: Candidate = { command: "/opt/py38", args: [], origin: "setting" };
    assert.equal(
      failureMessage([{ candidate, outcome: version(3, 8) }]),
      "Cachekey needs Python 3.10 or newer, but the one in its setting will not do: /opt/py38 is 3.8.1.",
    );
  });
});

describe("isNewEnough", () => {
  it("begins at 3.10 and does not compare as text", () => {
    assert.deepEqual(
      [version(2, 7), version(3, 9), version(3, 10), version(3, 14), version(4, 0)].map(isNewEnough),
      [false, false, true, true, true],
    );
  });
});

describe("the server's command", () => {
  it("is the bundled one, isolated, with its compiled files in our storage", () => {
    const layout = { extension: "/ext/cachekey", storage: "/data/cachekey" };
    assert.deepEqual(bundledServer(version(3, 12), layout), {
      command: "/usr/bin/python3.12",
      args: [
        "-I",
        "-S",
        "-X",
        "pycache_prefix=/data/cachekey/pycache",
        "/ext/cachekey/python/launch.py",
        "lsp",
      ],
    });
  });

  it("is the user's own when the setting names one", () => {
    const settings = { interpreter: [], path: ["${workspaceFolder}/.venv/bin/cachekey", "--flag"] };
    assert.deepEqual(ownServer(settings, linux), {
      command: "/src/app/.venv/bin/cachekey",
      args: ["--flag", "lsp"],
    });
    assert.equal(ownServer(nothingSet, linux), undefined);
  });
});
