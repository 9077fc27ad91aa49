import { defineConfig } from "vite";

export default defineConfig({
  // The pages are rendered by the server: it names these two files and adds their age to the address.
  build: {
    outDir: "../static",
    emptyOutDir: true,
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: {
      input: "src/main.ts",
      output: { entryFileNames: "app.js", assetFileNames: "app[extname]" },
    },
  },
});
