import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM, type Options } from '@mikro-orm/postgresql';
import { onTestFinished } from 'vitest';
import type { TestDatabase } from './kit/database.ts';

const modules = join(import.meta.dirname, '../../../node_modules');

/** A migration by what it sends, or by the code of its `up`. */
export interface Written {
  readonly up: readonly string[] | string;
  readonly down?: readonly string[] | null;
  readonly transactional?: boolean;
  readonly lockTimeout?: number;
  readonly statementTimeout?: number;
}

function adding(sqls: readonly string[]): string {
  return sqls.map((sql) => `    this.addSql(${JSON.stringify(sql)});\n`).join('');
}

/** Returns the source of a migration. */
export function sourceOf(
  name: string,
  { up, down = [], transactional = true, ...settings }: Written,
): string {
  const members = Object.entries(settings).map(([setting, value]) => `  readonly ${setting} = ${value};\n`);
  return `import { Migration } from '@mikro-orm/migrations';
export class ${name} extends Migration {
${members.join('')}  override isTransactional(): boolean { return ${transactional}; }
  override async up(): Promise<void> {
${typeof up === 'string' ? up : adding(up)}  }
${down === null ? '' : `  override async down(): Promise<void> {\n${adding(down)}  }\n`}}
`;
}

/** Returns the name of a migration of a project, by its place. */
export const nameOf = (index: number, title: string) => `Migration2026010${index + 1}000000_${title}`;

/** A project with files of migrations, in their order. */
export async function projectOf(
  db: TestDatabase,
  migrations: Record<string, Written>,
  migrationOptions: Options['migrations'] = {},
) {
  const directory = await mkdtemp(join(tmpdir(), 'safe-migrations-squash-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await symlink(modules, join(directory, 'node_modules'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  const path = join(directory, 'migrations');
  await mkdir(path);
  const names = Object.keys(migrations).map((title, index) => nameOf(index, title));
  for (const [index, written] of Object.values(migrations).entries())
    await writeFile(join(path, `${names[index]}.ts`), sourceOf(names[index] ?? '', written));
  return { path, names, open: () => openOrm(db, { path, ...migrationOptions }) };
}

/** Returns the ORM of a project on a test's database, closed after the test. */
export function openOrm({ url }: TestDatabase, migrations: Options['migrations'] & object): MikroORM {
  const orm = new MikroORM({
    clientUrl: url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    logger: () => {},
    migrations: { snapshot: false, disableForeignKeys: false, ...migrations },
  });
  onTestFinished(() => orm.close(true));
  return orm;
}
