import tailwindcss from "@tailwindcss/vite";
import { tanstackStart } from "@tanstack/react-start/plugin/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const brain = process.env.Z4J_BRAIN ?? "http://127.0.0.1:7700";

export default defineConfig({
  base: "./",
  // The policy of the page allows fonts from files only.
  build: { assetsInlineLimit: 0 },
  resolve: { tsconfigPaths: true },
  plugins: [
    tailwindcss(),
    tanstackStart({
      spa: { enabled: true, prerender: { outputPath: "/index" } },
      router: { basepath: "/", quoteStyle: "double", semicolons: true },
    }),
    react(),
  ],
  server: {
    host: "127.0.0.1",
    proxy: {
      "/api": brain,
      "/ws": { target: brain, ws: true },
      "/sign-in/once": brain,
    },
  },
});
