import { defineConfig } from "vite";

// The pages are rendered by the server: it names the entries and their styles and adds their age to the address.
// What they load themselves carries a hash in its name instead.
const NAMED = new Set(["app.css", "coverage.css", "editor.css", "map.css"]);

export default defineConfig({
  base: "/static/",
  build: {
    outDir: "../static",
    emptyOutDir: true,
    modulePreload: false,
    // Tells the server what an entry loads, so that a page can ask for it at once.
    manifest: "manifest.json",
    chunkSizeWarningLimit: 2000,
    rollupOptions: {
      input: { app: "src/main.ts", coverage: "src/coverage/main.ts", editor: "src/editor/main.ts", map: "src/shared/map.css" },
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "[name]-[hash].js",
        assetFileNames: (asset) =>
          asset.names.some((name) => NAMED.has(name)) ? "[name][extname]" : "[name]-[hash][extname]",
      },
    },
  },
});
