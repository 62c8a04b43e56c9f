// Bundles the extension into out/extension.js; with the argument "tests", the unit tests into out/test/.
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import esbuild from "esbuild";

const common = {
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  logLevel: "warning",
};

/** The licences of the packages that went into the bundle: minifying took their headers away. */
function notices(inputs) {
  const folders = inputs.map((name) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(name)?.[0]);
  const packages = [...new Set(folders)].filter((folder) => folder !== undefined).sort();
  return packages
    .map((folder) => {
      const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
      const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
      if (licence === undefined) {
        throw new Error(`${name} has no licence file`);
      }
      return `${name} ${version}\n\n${readFileSync(`${folder}/${licence}`, "utf8").trim()}\n`;
    })
    .join("\n----\n\n");
}

if (process.argv[2] === "tests") {
  rmSync("out/test", { recursive: true, force: true });
  await esbuild.build({
    ...common,
    entryPoints: readdirSync("src/test").map((name) => `src/test/${name}`),
    outdir: "out/test",
    sourcemap: "inline",
  });
} else {
  const { metafile } = await esbuild.build({
    ...common,
    entryPoints: ["src/extension.ts"],
    outfile: "out/extension.js",
    external: ["vscode"],
    minify: true,
    metafile: true,
  });
  writeFileSync("out/third-party-notices.txt", notices(Object.keys(metafile.inputs)));
}
