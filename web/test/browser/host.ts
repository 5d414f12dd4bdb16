/** A static host of the built page with settings of its own, as anybody may run one. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";

const DIST = join(import.meta.dirname, "../../dist");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

export interface Host {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Serves `dist`; `files` come first, by name. */
export async function startHost(files: Readonly<Record<string, string>>): Promise<Host> {
  const server: Server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://host").pathname;
    const name = path === "/" ? "index.html" : normalize(path.slice(1));
    try {
      const body = files[name] ?? (await readFile(join(DIST, name)));
      response.writeHead(200, { "Content-Type": TYPES[extname(name)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the host has no port");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
