import { defineConfig } from "vite";

/** Addresses are relative, so that the page works below any path and from any static host. */
export default defineConfig({
  base: "./",
  build: { target: "es2022", outDir: "dist", emptyOutDir: true, reportCompressedSize: false },
  server: { host: "127.0.0.1" },
  preview: { host: "127.0.0.1" },
});
