// Files out of what was dropped, folders and all that is in them included.

/**
 * @typedef {object} Dropped
 * @property {File[]} files dropped or picked by themselves
 * @property {File[]} inFolders found in folders: what is no video is left out without a fuss
 */

/** @param {FileSystemDirectoryReader} reader @returns {Promise<FileSystemEntry[]>} */
const nextOf = (reader) =>
  new Promise((resolve, reject) => reader.readEntries(resolve, reject));

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
const fileOf = (entry) =>
  new Promise((resolve, reject) => entry.file(resolve, reject));

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<File[]>} */
async function filesIn(folder) {
  const reader = folder.createReader();
  const files = [];
  // A reader gives a hundred entries at a time, and none when it is done.
  for (let some = await nextOf(reader); some.length > 0;) {
    for (const entry of some) files.push(...(await filesOf(entry)));
    some = await nextOf(reader);
  }
  return files;
}

/** @param {FileSystemEntry} entry @returns {Promise<File[]>} [] when it cannot be read */
async function filesOf(entry) {
  try {
    return entry.isDirectory
      ? await filesIn(/** @type {FileSystemDirectoryEntry} */ (entry))
      : [await fileOf(/** @type {FileSystemFileEntry} */ (entry))];
  } catch {
    return [];
  }
}

/**
 * Must be called while the drop is being handled: its items are gone afterwards.
 * @param {DataTransfer} transfer
 * @returns {Promise<Dropped>}
 */
export async function readDrop(transfer) {
  const files = [];
  const folders = [];
  for (const item of transfer.items) {
    const entry = item.kind === "file" ? item.webkitGetAsEntry() : null;
    const file = item.getAsFile();
    if (entry?.isDirectory) folders.push(entry);
    else if (file) files.push(file);
  }
  const inFolders = (await Promise.all(folders.map(filesOf))).flat();
  return { files, inFolders };
}
