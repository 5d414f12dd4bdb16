#!/usr/bin/env node
/**
 * The npm build of solc behind the command line that py-solc-x and Brownie expect.
 *
 * `--version` prints what the native binary prints; anything else reads standard JSON on stdin and writes standard JSON
 * on stdout. Imports that the caller did not inline (Brownie leaves remapped packages to the compiler's own file access)
 * are read from the project root.
 *
 * Generating code takes nearly all of the time, and the compiler has one thread: so one worker a core parses all sources
 * and generates the code of some of them. Every worker sees the same sources, therefore the same numbers in the same
 * syntax tree, and the code is what a single run gives, byte for byte. Where PLIMSOLL_CACHE names a folder, an answer
 * is kept there under the hash of everything that it depends on.
 */
"use strict";
const crypto = require("crypto");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { isMainThread, parentPort, Worker } = require("worker_threads");

const ROOT = path.resolve(__dirname, "..", "..");
const MODULES = path.join(ROOT, "node_modules");
/** More parts than workers, since nobody knows beforehand which part takes long; each parses everything once more. */
const PARTS_PER_WORKER = 4;
/** Fewer sources are not worth a second worker. */
const MIN_SOURCES = 16;

/** Read one import, trying the path as given, the project root and node_modules in that order. */
function readImport(name) {
  for (const base of [process.cwd(), ROOT, MODULES]) {
    const file = path.resolve(base, name);
    if (fs.existsSync(file)) return { contents: fs.readFileSync(file, "utf8") };
  }
  return { error: `file not found: ${name}` };
}

function compile(input) {
  const solc = require(path.join(MODULES, "solc"));
  return solc.compile(input, { import: readImport });
}

/** Names of files in groups of about the same number of bytes: the largest first, each to the lightest group. */
function groups(sources, count) {
  const all = Array.from({ length: count }, () => ({ weight: 0, names: [] }));
  const bySize = Object.entries(sources).sort((a, b) => b[1].content.length - a[1].content.length);
  for (const [name, { content }] of bySize) {
    const lightest = all.reduce((best, group) => (group.weight < best.weight ? group : best));
    lightest.weight += content.length;
    lightest.names.push(name);
  }
  return all.map((group) => group.names).filter((names) => names.length);
}

/** What is asked for each contract, for the named files alone; the syntax trees of all files when `trees`. */
function selection(wanted, names, trees) {
  const perContract = (wanted["*"] || {})["*"] || [];
  const perFile = (wanted["*"] || {})[""] || [];
  const chosen = Object.fromEntries(names.map((name) => [name, { "*": perContract }]));
  return trees ? { ...chosen, "*": { "": perFile } } : chosen;
}

/** The answers to all parts as one; a message that several parts gave is kept once. */
function merge(answers) {
  const whole = { contracts: {}, sources: {}, errors: [] };
  const seen = new Set();
  for (const answer of answers) {
    for (const [file, contracts] of Object.entries(answer.contracts || {})) {
      whole.contracts[file] = { ...whole.contracts[file], ...contracts };
    }
    for (const [file, source] of Object.entries(answer.sources || {})) {
      whole.sources[file] = { ...whole.sources[file], ...source };
    }
    for (const error of answer.errors || []) {
      if (!seen.has(error.formattedMessage)) whole.errors.push(error);
      seen.add(error.formattedMessage);
    }
  }
  if (!whole.errors.length) delete whole.errors;
  return whole;
}

/** Compile the parts of one input with some workers; each asks for the next part when it is done. */
function inParallel(input, count) {
  const parts = groups(input.sources, count * PARTS_PER_WORKER).map((names, i) => ({
    ...input,
    settings: { ...input.settings, outputSelection: selection(input.settings.outputSelection, names, i === 0) },
  }));
  const answers = parts.map(() => null);
  let next = 0;
  const work = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(__filename);
      const give = () => {
        if (next === parts.length) return worker.terminate().then(resolve);
        const index = next++;
        worker.once("message", (text) => {
          answers[index] = JSON.parse(text);
          give();
        });
        worker.postMessage(JSON.stringify(parts[index]));
      };
      worker.once("error", reject);
      give();
    });
  return Promise.all(Array.from({ length: Math.min(count, parts.length) }, work)).then(() =>
    JSON.stringify(merge(answers)),
  );
}

/** Whether an input asks the same of every contract, and of enough of them to share the work. */
function divisible(input) {
  const wanted = (input.settings && input.settings.outputSelection) || {};
  return Object.keys(wanted).join() === "*" && Object.keys(input.sources || {}).length >= MIN_SOURCES;
}

/** The input with its sources in the order of their names: Brownie names them in another order every time. */
function ordered(input) {
  return { ...input, sources: Object.fromEntries(Object.entries(input.sources || {}).sort()) };
}

/** The project's own files that an input imports and leaves to the compiler to read, each with its text. */
function leftOut(input) {
  const found = {};
  const visit = (name, text) => {
    for (const [, imported] of text.matchAll(/^import\s[^;]*?"(\.[^"]+)"/gm)) {
      const file = path.join(path.dirname(name), imported);
      if (file in found || file in input.sources) continue;
      const { contents } = readImport(file);
      if (contents === undefined) continue;
      found[file] = contents;
      visit(file, contents);
    }
  };
  for (const [name, { content }] of Object.entries(input.sources)) visit(name, content);
  return found;
}

/** File in the cache for this input; undefined without a cache. Packages that the compiler reads itself are pinned. */
function cacheFile(input) {
  if (!process.env.PLIMSOLL_CACHE) return undefined;
  const hash = crypto.createHash("sha256").update(JSON.stringify(input).split(ROOT).join("."));
  hash.update(JSON.stringify(leftOut(input)));
  hash.update(fs.readFileSync(path.join(ROOT, "package-lock.json")));
  return path.join(process.env.PLIMSOLL_CACHE, "solc", `${hash.digest("hex")}.json`);
}

/** Write a file that is either whole or not there. */
function keep(file, text) {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const part = `${file}.${process.pid}`;
    fs.writeFileSync(part, text);
    fs.renameSync(part, file);
  } catch (reason) {
    console.error(`warning: ${file}: not kept: ${reason.message}`);
  }
}

async function main() {
  if (process.argv.includes("--version")) {
    const version = require(path.join(MODULES, "solc")).version().replace(/\.Emscripten.*$/, "");
    console.log("solc, the solidity compiler commandline interface");
    console.log(`Version: ${version}.Linux.g++`);
    return;
  }
  const input = ordered(JSON.parse(fs.readFileSync(0, "utf8")));
  const file = cacheFile(input);
  if (file && fs.existsSync(file)) {
    process.stdout.write(fs.readFileSync(file));
    return;
  }
  const answer = divisible(input) ? await inParallel(input, os.cpus().length) : compile(JSON.stringify(input));
  if (file && !JSON.parse(answer).errors?.some((error) => error.severity === "error")) keep(file, answer);
  process.stdout.write(answer); // the process lives until a slow pipe took everything
}

if (isMainThread) {
  main().catch((reason) => {
    console.error(`error: ${reason.stack || reason}`);
    process.exit(1);
  });
} else {
  parentPort.on("message", (text) => parentPort.postMessage(compile(text)));
}
