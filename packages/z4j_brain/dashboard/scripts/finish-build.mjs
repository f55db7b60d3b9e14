// Turns Vite's output into what the brain serves: relative addresses, a root that
// can be set at serve time, the hashes a strict CSP needs, and a size budget that fails.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const FIRST_LOAD_BUDGET = 250_000;
const here = dirname(fileURLToPath(import.meta.url));
const client = resolve(here, "../dist/client");
const target = resolve(
  process.env.Z4J_STATIC_DIR ?? join(here, "../../src/z4j_brain/static"),
);

function head() {
  const boot = readFileSync(join(here, "boot.js"), "utf8")
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("//"))
    .map((line) => line.trim())
    .join("\n")
    .trim();
  return (
    '<meta name="z4j-root" content=""/><base href="/"/>' +
    `<script>${boot}</script>` +
    '<link rel="icon" type="image/svg+xml" href="assets/icon.svg"/>'
  );
}

function finishHtml(html) {
  const relative = html
    .replaceAll('"/./assets/', '"assets/')
    // The time of the build would make every build differ from the last.
    .replace(/\bu:\d{13}\b/g, "u:0")
    // React leaves `as` and `fetchPriority` casing alone; browsers do not mind.
    .replace("<head>", `<head>${head()}`)
    .replace("</body>", "<noscript>The z4j dashboard needs JavaScript.</noscript></body>");
  const absolute = relative.match(/(?:src|href)="\/(?!")[^"]*"/);
  if (absolute) throw new Error(`index.html still holds an absolute address: ${absolute[0]}`);
  return relative;
}

function scriptHashes(html) {
  const inline = [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)];
  if (inline.length === 0) throw new Error("index.html has no inline script: did Start change?");
  return [
    ...new Set(
      inline.map(([, text]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`),
    ),
  ];
}

function staticImports(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  const source = readFileSync(join(client, "assets", file), "utf8");
  for (const [, name] of source.matchAll(/(?:from|import)\s*["'`]\.\/([^"'`]+\.js)["'`]/g)) {
    staticImports(name, seen);
  }
  return seen;
}

function firstLoad(html) {
  const files = new Set();
  for (const [, name] of html.matchAll(/(?:src|href)="assets\/([^"]+\.js)"/g)) {
    for (const file of staticImports(name)) files.add(file);
  }
  let bytes = 0;
  for (const file of files) bytes += gzipSync(readFileSync(join(client, "assets", file))).length;
  return { files: files.size, bytes };
}

const html = finishHtml(readFileSync(join(client, "index.html"), "utf8"));
const load = firstLoad(html);
console.log(`first load: ${load.files} scripts, ${load.bytes} bytes gzipped`);
if (load.bytes > FIRST_LOAD_BUDGET) {
  throw new Error(`the first load is over its budget of ${FIRST_LOAD_BUDGET} bytes; split a route`);
}
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
cpSync(join(client, "assets"), join(target, "assets"), { recursive: true });
writeFileSync(join(target, "index.html"), html);
writeFileSync(
  join(target, "csp.json"),
  `${JSON.stringify({ "script-src": scriptHashes(html) }, null, 2)}\n`,
);
console.log(`wrote ${readdirSync(join(target, "assets")).length} assets, index.html and csp.json`);
