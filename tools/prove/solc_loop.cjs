#!/usr/bin/env node
/**
 * The compiler as a loop: one standard-JSON input a line on stdin, one output a line on stdout.
 *
 * Loading the compiler takes longer than compiling one small contract; whoever compiles many asks one process.
 */
"use strict";
const fs = require("fs");
const path = require("path");
const readline = require("readline");

const ROOT = path.resolve(__dirname, "..", "..");
const solc = require(path.join(ROOT, "node_modules", "solc"));
const cache = new Map();

/** Read one import from the project root or node_modules, once. */
function readImport(name) {
  if (!cache.has(name)) {
    const file = [ROOT, path.join(ROOT, "node_modules")].map((base) => path.resolve(base, name)).find(fs.existsSync);
    cache.set(name, file ? { contents: fs.readFileSync(file, "utf8") } : { error: `file not found: ${name}` });
  }
  return cache.get(name);
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(solc.compile(line, { import: readImport }).replace(/\n/g, " ") + "\n");
});
