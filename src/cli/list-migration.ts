import { writeFile } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { migrations } from '../migrations.ts';

/**
 * Adds a migration that was just written to the module that lists them, which stands beside their folder and has its name. The class of
 * a migration has the name of its file.
 */
export async function listMigration(path: string): Promise<void> {
  const [folder, extension] = [dirname(path), extname(path)];
  const names = [...migrations.map(({ name }) => name), basename(path, extension)].toSorted();
  await writeFile(`${folder}${extension}`, migrationList(basename(folder), names, extension));
}

/** The text of that module, as a formatter leaves it alone. */
export function migrationList(folder: string, names: readonly string[], extension = '.ts'): string {
  const imports = names.map((name) => `import { ${name} } from './${folder}/${name}${extension}';\n`);
  return `${imports.join('')}
/** Every migration, oldest first. Whatever creates one adds its line; a migration that is written by hand needs its line here. */
export const migrations = [
${names.map((name) => `  ${name},\n`).join('')}];
`;
}
