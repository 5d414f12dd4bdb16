/** Fails when what a first visit loads is above its budget: the page, its style, and every script that it starts with. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const DIST = join(import.meta.dirname, "../dist");
const BUDGET_KB = 150;

const sizeOf = (name) => gzipSync(readFileSync(join(DIST, name)), { level: 9 }).length;

/** Scripts that a script imports before it runs; what it imports later is no part of the first view. */
function staticImports(name) {
  const text = readFileSync(join(DIST, name), "utf8");
  const found = [...text.matchAll(/(?:import|export)\s*(?:[\w*${}\s,]+?\s*from\s*)?["']\.\/([\w.-]+\.js)["']/g)];
  return found.map((match) => `assets/${match[1]}`);
}

const html = readFileSync(join(DIST, "index.html"), "utf8");
const files = new Set(["index.html", "mark.svg"]);
const queue = [...html.matchAll(/(?:src|href)="\.\/(assets\/[\w.-]+)"/g)].map((match) => match[1]);
while (queue.length) {
  const name = queue.pop();
  if (files.has(name)) continue;
  files.add(name);
  if (name.endsWith(".js")) queue.push(...staticImports(name));
}
const bytes = [...files].reduce((sum, name) => sum + sizeOf(name), 0);
const kb = bytes / 1000;
process.stdout.write(
  `${JSON.stringify({ "web.firstView": Number(kb.toFixed(1)), unit: "kB gzip", budget: BUDGET_KB, files: files.size })}\n`,
);
if (kb > BUDGET_KB) {
  process.stderr.write(`error: the first view is ${kb.toFixed(1)} kB gzip, the budget is ${BUDGET_KB} kB\n`);
  process.exit(1);
}
