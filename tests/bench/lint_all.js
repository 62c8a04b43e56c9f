// lint_all.js PACKAGE FOLDER: lints all Dockerfiles of a folder with the library of dockerfile-utils, in
// one process: the quickest way to use it, since its own command takes one file a process.
const fs = require("fs");
const path = require("path");

const [, , home, folder] = process.argv;
const { validate } = require(home);

let findings = 0;
for (const name of fs.readdirSync(folder, { recursive: true })) {
  if (path.basename(name) !== "Dockerfile") continue;
  for (const found of validate(fs.readFileSync(path.join(folder, name), "utf8"))) {
    findings += 1;
    console.log(`${name}:${found.range.start.line + 1}: ${found.message}`);
  }
}
console.log(`${findings} findings`);
