import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Crashes } from "../crashes";

describe("a server that ends by itself", () => {
  it("is started again four times in three minutes", () => {
    const crashes = new Crashes();
    const tries = [0, 1, 2, 3, 4].map((second) => crashes.isWorthAnotherTry(second * 1000));
    assert.deepEqual(tries, [true, true, true, true, false]);
  });

  it("may end now and then", () => {
    const crashes = new Crashes();
    const tries = [0, 1, 2, 3, 4, 5].map((minute) => crashes.isWorthAnotherTry(minute * 60_000));
    assert.ok(tries.every(Boolean));
  });

  it("has its tries back when somebody restarts it", () => {
    const crashes = new Crashes();
    for (let n = 0; n < 9; n += 1) {
      crashes.isWorthAnotherTry(n);
    }
    crashes.forget();
    assert.ok(crashes.isWorthAnotherTry(10));
  });
});
