import { open, rm } from 'node:fs/promises';

/**
 * Writes a whole file or none: a partial file would be loaded as a migration.
 *
 * @throws Error with the code `EEXIST` when the file exists.
 */
export async function writeNewFile(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
  } catch (error) {
    await rm(path);
    throw error;
  } finally {
    await file.close();
  }
}
