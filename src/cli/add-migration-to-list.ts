import { writeFile } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { migrations } from '../migrations.ts';

/**
 * Adds migration files of one folder to the module that lists the migrations, which is beside the folder and has its name, and removes those
 * that they replace.
 */
export async function addMigrationsToList(
  paths: readonly string[],
  replaces: readonly string[],
): Promise<void> {
  const [path = ''] = paths;
  const [folder, extension] = [dirname(path), extname(path)];
  const kept = migrations.map(({ name }) => name).filter((name) => !replaces.includes(name));
  const names = [...kept, ...paths.map((one) => basename(one, extension))].toSorted();
  await writeFile(`${folder}${extension}`, renderMigrationList(basename(folder), names, extension));
}

/** Returns the formatted text of that module. The class of a migration has the name of its file. */
export function renderMigrationList(folder: string, names: readonly string[], extension = '.ts'): string {
  const imports = names.map((name) => `import { ${name} } from './${folder}/${name}${extension}';\n`);
  return `${imports.join('')}
/** Every migration, oldest first. \`synthdb migrate create\` adds its migration; add a migration that is written by hand. */
export const migrations = [
${names.map((name) => `  ${name},\n`).join('')}];
`;
}
