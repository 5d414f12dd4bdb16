#!/usr/bin/env node
/**
 * The npm build of solc behind the command line that py-solc-x and Brownie expect.
 *
 * `--version` prints what the native binary prints; anything else reads standard JSON on stdin and
 * writes standard JSON on stdout. Imports that the caller did not inline (Brownie leaves remapped
 * packages to the compiler's own file access) are read from the project root.
 */
"use strict";
const fs = require("fs");
const path = require("path");

const ROOT = path.resolve(__dirname, "..", "..");
const solc = require(path.join(ROOT, "node_modules", "solc"));

/** Read one import, trying the path as given, the project root and node_modules in that order. */
function readImport(name) {
  for (const base of [process.cwd(), ROOT, path.join(ROOT, "node_modules")]) {
    const file = path.resolve(base, name);
    if (fs.existsSync(file)) return { contents: fs.readFileSync(file, "utf8") };
  }
  return { error: `file not found: ${name}` };
}

if (process.argv.includes("--version")) {
  const version = solc.version().replace(/\.Emscripten.*$/, "");
  console.log("solc, the solidity compiler commandline interface");
  console.log(`Version: ${version}.Linux.g++`);
} else {
  const input = fs.readFileSync(0, "utf8");
  fs.writeFileSync(1, solc.compile(input, { import: readImport })); // loops until a slow pipe took everything
}
