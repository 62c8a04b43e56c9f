// Docker's and Microsoft's servers in the same window, started as their own extensions start them.
const fs = require("node:fs");
const path = require("node:path");
const process = require("node:process");
const { LanguageClient } = require("vscode-languageclient/node");

exports.activate = async (context) => {
  const servers = JSON.parse(fs.readFileSync(path.join(__dirname, "servers.json"), "utf8"));
  for (const { name, command, args, options, environment } of servers) {
    const client = new LanguageClient(
      name,
      name,
      { command, args, options: { env: { ...process.env, ...environment } } },
      { documentSelector: [{ language: "dockerfile", scheme: "file" }], initializationOptions: options },
    );
    context.subscriptions.push(client);
    await client.start();
  }
};
