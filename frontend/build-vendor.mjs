// Copies what the pages use from node_modules to frontend/vendor/, and what the player uses to
// frontend/player/vendor/ (it is usable without the rest), with licences and checksums. The copies are committed, so that the pages work from a bare clone and a deploy needs no npm.
//
//   node frontend/build-vendor.mjs           write both folders
//   node frontend/build-vendor.mjs --check   fail if a copy differs from npm's file
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "..", "node_modules");
const HOMES = /** @type {const} */ (["vendor", "player/vendor"]);

/**
 * Files taken, by package: source below the package → name below `<home>/<folder>/`.
 * @type {{ name: string, home: (typeof HOMES)[number], folder: string, files: Record<string, string> }[]}
 */
const PACKAGES = [
  {
    name: "hls.js",
    home: "player/vendor",
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
    home: "vendor",
    folder: "archivo",
    files: {
      "files/archivo-latin-wdth-normal.woff2": "archivo-latin.woff2",
      "files/archivo-latin-ext-wdth-normal.woff2": "archivo-latin-ext.woff2",
      LICENSE: "LICENSE",
    },
  },
  {
    name: "uplot",
    home: "vendor",
    folder: "uplot",
    files: {
      "dist/uPlot.esm.js": "uplot.mjs",
      "dist/uPlot.min.css": "uplot.css",
      LICENSE: "LICENSE",
    },
  },
];

/** Types for the type checker only: the copies have none beside them. */
const TYPES = {
  "player/vendor/hls/hls.min.d.mts":
    'export * from "hls.js";\nexport { default } from "hls.js";\n',
  "vendor/uplot/uplot.d.mts": 'export { default } from "uplot";\n',
};

/**
 * @param {(typeof PACKAGES)[number]} wanted
 * @returns {Promise<{ entry: object, files: Map<string, Buffer> }>} its line of the manifest, and
 *   its files by their path below frontend/
 */
async function taken({ name, home, folder, files: wanted }) {
  const about = JSON.parse(
    await readFile(join(modules, name, "package.json"), "utf8"),
  );
  const files = new Map();
  /** @type {Record<string, string>} */
  const sha256 = {};
  for (const [from, to] of Object.entries(wanted)) {
    const bytes = await readFile(join(modules, name, from));
    files.set(`${home}/${folder}/${to}`, bytes);
    sha256[to] = createHash("sha256").update(bytes).digest("hex");
  }
  const entry = {
    package: name,
    version: about.version,
    licence: about.license,
    folder,
    sha256,
  };
  return { entry, files };
}

/** @returns {Promise<Map<string, Buffer>>} every vendored file, by its path below frontend/ */
async function expected() {
  const files = new Map();
  for (const home of HOMES) {
    const manifest = [];
    for (const wanted of PACKAGES.filter((each) => each.home === home)) {
      const { entry, files: own } = await taken(wanted);
      manifest.push(entry);
      for (const [path, bytes] of own) files.set(path, bytes);
    }
    files.set(
      `${home}/manifest.json`,
      Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`),
    );
  }
  for (const [path, text] of Object.entries(TYPES))
    files.set(path, Buffer.from(text));
  return files;
}

/** @param {Map<string, Buffer>} files */
async function write(files) {
  for (const home of HOMES)
    await rm(join(here, home), { recursive: true, force: true });
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(here, path)), { recursive: true });
    await writeFile(join(here, path), bytes);
  }
}

/** @returns {Promise<string[]>} paths below frontend/ of what lies in the vendor folders */
async function present() {
  const paths = [];
  for (const home of HOMES) {
    const entries = await readdir(join(here, home), {
      recursive: true,
      withFileTypes: true,
    });
    for (const entry of entries.filter((each) => each.isFile()))
      paths.push(relative(here, join(entry.parentPath, entry.name)));
  }
  return paths;
}

/**
 * @param {Map<string, Buffer>} files
 * @returns {Promise<string[]>} what is wrong, one line each
 */
async function differences(files) {
  const faults = [];
  for (const [path, bytes] of files) {
    const copy = await readFile(join(here, path)).catch(() => null);
    if (copy === null) faults.push(`${path} is missing`);
    else if (!copy.equals(bytes))
      faults.push(`${path} differs from npm's file`);
  }
  for (const path of await present())
    if (!files.has(path)) faults.push(`${path} comes from no listed package`);
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
