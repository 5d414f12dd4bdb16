/** The chain of the tests, made and moved by scene.py. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Address, Hex } from "viem";

const ROOT = join(import.meta.dirname, "../../..");
const PYTHON = process.env.PLIMSOLL_PYTHON ?? join(ROOT, ".venv/bin/python");

export interface Facts {
  readonly rpc: string;
  readonly deployment: string;
  readonly accounts: Readonly<Record<"maker" | "bob" | "carol", number>>;
  readonly addresses: Readonly<Record<"alice" | "bob" | "carol" | "dora", Address>>;
  readonly keys: Readonly<Record<"alice" | "bob" | "carol" | "dora", Hex>>;
  readonly near: string;
  readonly far: string;
}

export class Scene {
  readonly facts: Facts;
  readonly record: string;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #folder: string;

  private constructor(
    process: ChildProcessByStdio<Writable, Readable, null>,
    lines: AsyncIterator<string>,
    facts: Facts,
    folder: string,
  ) {
    this.#process = process;
    this.#lines = lines;
    this.#folder = folder;
    this.facts = facts;
    this.record = readFileSync(facts.deployment, "utf8");
  }

  static async start(): Promise<Scene> {
    const folder = await mkdtemp(join(tmpdir(), "plimsoll-web-"));
    const file = join(folder, "deployment.json");
    const child = spawn(PYTHON, [join(ROOT, "web/test/scene.py"), file], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) throw new Error("the scene ended before it began");
    return new Scene(child, lines, JSON.parse(first.value) as Facts, folder);
  }

  /** One command; an answer that names an error is thrown. */
  async tell(command: Record<string, unknown>): Promise<Record<string, unknown>> {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
    const next = await this.#lines.next();
    if (next.done) throw new Error("the scene has ended");
    const answer = JSON.parse(next.value) as Record<string, unknown>;
    if (answer.error) throw new Error(String(answer.error));
    return answer;
  }

  /** One request to the chain. */
  async rpc<T>(method: string, ...params: unknown[]): Promise<T> {
    const response = await fetch(this.facts.rpc, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const { result, error } = (await response.json()) as {
      result: T;
      error?: { code: number; message: string; data?: unknown };
    };
    if (error) throw Object.assign(new Error(error.message), error);
    return result;
  }

  async stop(): Promise<void> {
    this.#process.stdin.end();
    await new Promise((resolve) => this.#process.once("exit", resolve));
    await rm(this.#folder, { recursive: true, force: true });
  }
}
