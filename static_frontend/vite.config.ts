import { defineConfig } from "vitest/config";

import { errorPages } from "./build/error-pages.ts";

export default defineConfig({
  base: "/static/",
  plugins: [errorPages()],
  build: {
    manifest: true,
    // The pages' policy allows images and nothing else from data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: [
        "src/main.ts",
        "src/live.ts",
        "src/proof.ts",
        "src/booking.ts",
        "src/embed/host.ts",
        "src/embed/frame.ts",
        "src/styles/embed.css",
        "src/waiting.ts",
        "src/queue.ts",
        "src/office/charts.ts",
        "src/door/main.ts",
        "src/door/sw.ts",
        "src/door/ed25519.ts",
        "src/staff/passkeys.ts",
        "src/styles/messages.css",
        "src/styles/site.css",
        "src/styles/fonts/with-fraunces.css",
        "src/styles/fonts/with-instrument.css",
        "src/styles/fonts/with-device.css",
        "src/styles/with-preview.css",
        "src/office/theme.ts",
        "src/styles/door.css",
        "src/styles/app.css",
        "src/styles/log.css",
        "src/styles/office.css",
        "src/styles/charts.css",
        "src/styles/performance-day.css",
        "src/office/book.ts",
        "src/office/pictures.ts",
        "src/styles/pictures.css",
        "src/styles/show.css",
        "src/styles/box-office.css",
        "src/styles/account.css",
        "src/styles/party-list.css",
        "src/styles/season.css",
        "src/season.ts",
        "src/styles/season-report.css",
        "src/styles/reservation.css",
        "src/styles/people.css",
        "src/styles/status.css",
      ],
      output: {
        // Other sites load it by its name (docs/embedding.md), so it has no hash.
        entryFileNames: (chunk) =>
          chunk.facadeModuleId?.endsWith("/embed/host.ts") ? "embed.js" : "assets/[name]-[hash].js",
      },
    },
  },
  test: { environment: "jsdom", include: ["tests/**/*.test.ts"], restoreMocks: true, testTimeout: 200_000 },
});
