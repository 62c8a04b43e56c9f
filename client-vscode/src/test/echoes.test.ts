import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isEcho } from "../echoes";

const at = (line: number, message: string, lastLine = line): Parameters<typeof isEcho>[0] => ({
  firstLine: line,
  lastLine,
  message,
});
const OURS = at(3, 'BuildKit refuses this mount: unsupported sharing value "lock" (did you mean locked?)');

describe("what another server says as well", () => {
  it("is BuildKit's refusal in BuildKit's words", () => {
    assert.ok(isEcho(OURS, at(3, 'unsupported sharing value "lock" (did you mean locked?)')));
  });

  it("may be told with its line, and of the whole instruction", () => {
    const ours = at(5, "BuildKit refuses this flag: unknown flag: --muont (did you mean mount?)");
    const theirs = "dockerfile parse error on line 4: unknown flag: --muont (did you mean mount?)";
    assert.ok(isEcho(ours, at(3, theirs, 6)));
    assert.ok(!isEcho(ours, at(3, theirs, 4)));
  });

  it("is nothing that is said in other words, and nothing that says nothing", () => {
    assert.ok(!isEcho(OURS, at(3, "Usage of undefined variable '$TARGETARCH'")));
    assert.ok(!isEcho(OURS, at(3, "")));
    assert.ok(!isEcho(OURS, at(3, "mount")));
    assert.ok(!isEcho(OURS, at(3, "sharing value")));
    assert.ok(!isEcho(OURS, at(3, "dockerfile parse error on line 4: ")));
  });
});
