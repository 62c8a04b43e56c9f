// What VS Code's extension host calls: run() resolves when every test passed.
const fs = require("node:fs");
const path = require("node:path");
const process = require("node:process");

exports.run = async () => {
  const Mocha = require("mocha");
  const mocha = new Mocha({
    ui: "bdd",
    timeout: 60_000,
    reporter: "json",
    reporterOptions: { output: process.env.CACHEKEY_RESULTS },
  });
  for (const name of fs.readdirSync(__dirname).filter((file) => file.endsWith(".test.cjs"))) {
    mocha.addFile(path.join(__dirname, name));
  }
  await mocha.loadFilesAsync();
  await new Promise((passed, failed) => {
    mocha.run((count) => (count === 0 ? passed() : failed(new Error(`${count} tests failed`))));
  });
};
