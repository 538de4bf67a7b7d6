// Copies what the pages use from node_modules to frontend/vendor/, with licences and checksums.
// The copies are committed, so that the pages work from a bare clone and a deploy needs no npm.
//
//   node frontend/build-vendor.mjs           write frontend/vendor/
//   node frontend/build-vendor.mjs --check   fail if a copy differs from npm's file
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "..", "node_modules");
const vendor = join(here, "vendor");

/**
 * Files taken, by package: source below the package → name below `vendor/<folder>/`.
 * @type {{ name: string, folder: string, files: Record<string, string> }[]}
 */
const PACKAGES = [
  {
    name: "hls.js",
    folder: "hls",
    files: {
      "dist/hls.min.mjs": "hls.min.mjs",
      "dist/hls.worker.js": "hls.worker.js",
      LICENSE: "LICENSE",
    },
  },
  {
    // Width and weight axes in one file: headings are wide, labels are narrow.
    name: "@fontsource-variable/archivo",
    folder: "archivo",
    files: {
      "files/archivo-latin-wdth-normal.woff2": "archivo-latin.woff2",
      "files/archivo-latin-ext-wdth-normal.woff2": "archivo-latin-ext.woff2",
      LICENSE: "LICENSE",
    },
  },
];

/** Types for the type checker only: the minified copy has none beside it. */
const TYPES = {
  "hls/hls.min.d.mts":
    'export * from "hls.js";\nexport { default } from "hls.js";\n',
};

/** @returns {Promise<Map<string, Buffer>>} every file of vendor/, by its path there */
async function expected() {
  const files = new Map();
  const manifest = [];
  for (const { name, folder, files: wanted } of PACKAGES) {
    const about = JSON.parse(
      await readFile(join(modules, name, "package.json"), "utf8"),
    );
    /** @type {Record<string, string>} */
    const sha256 = {};
    for (const [from, to] of Object.entries(wanted)) {
      const bytes = await readFile(join(modules, name, from));
      files.set(`${folder}/${to}`, bytes);
      sha256[to] = createHash("sha256").update(bytes).digest("hex");
    }
    manifest.push({
      package: name,
      version: about.version,
      licence: about.license,
      folder,
      sha256,
    });
  }
  for (const [path, text] of Object.entries(TYPES))
    files.set(path, Buffer.from(text));
  files.set(
    "manifest.json",
    Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`),
  );
  return files;
}

/** @param {Map<string, Buffer>} files */
async function write(files) {
  await rm(vendor, { recursive: true, force: true });
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(vendor, path)), { recursive: true });
    await writeFile(join(vendor, path), bytes);
  }
}

/**
 * @param {Map<string, Buffer>} files
 * @returns {Promise<string[]>} what is wrong, one line each
 */
async function differences(files) {
  const faults = [];
  for (const [path, bytes] of files) {
    const copy = await readFile(join(vendor, path)).catch(() => null);
    if (copy === null) faults.push(`vendor/${path} is missing`);
    else if (!copy.equals(bytes))
      faults.push(`vendor/${path} differs from npm's file`);
  }
  const entries = await readdir(vendor, {
    recursive: true,
    withFileTypes: true,
  });
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = relative(vendor, join(entry.parentPath, entry.name));
    if (!files.has(path))
      faults.push(`vendor/${path} comes from no listed package`);
  }
  return faults;
}

const files = await expected();
if (process.argv.includes("--check")) {
  const faults = await differences(files);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exit(1);
} else {
  await write(files);
}
