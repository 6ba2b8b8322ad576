import { MikroORM } from '@mikro-orm/postgresql';
import { Migrator as OrmMigrator } from '@mikro-orm/migrations';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyDatabase, TestDatabase } from '../kit/database.ts';
import { InstalledProject } from '../kit/installed-project.ts';
import { PgBouncer, whyNoPooler } from '../kit/pgbouncer.ts';
import { createRole } from '../kit/roles.ts';

/** Returns the text of a migration that sends these statements. */
function migration(name: string, up: readonly string[], down: readonly string[]): string {
  return `import { Migration } from '@mikro-orm/migrations';\n
export class ${name} extends Migration {
  override up(): void {\n${sending(up)}  }
  override down(): void {\n${sending(down)}  }
}\n`;
}

function sending(statements: readonly string[]): string {
  return statements.map((sql) => `    this.addSql(${JSON.stringify(sql)});\n`).join('');
}

// Blogs, with the tables of the ORM's guide, as the ORM's generator writes them for PostgreSQL.
const [first, comments, social] = [
  'Migration20220913202829',
  'Migration20220913205718',
  'Migration20240601145446',
];
const stamps = '"created_at" timestamptz not null, "updated_at" timestamptz not null';
const blog = {
  [`migrations/${first}.ts`]: migration(
    first,
    [
      `create table "tag" ("id" serial primary key, ${stamps}, "name" varchar(255) not null)`,
      `create table "user" ("id" serial primary key, ${stamps}, "full_name" varchar(255) not null, "email" varchar(255) not null, "bio" text not null default '')`,
      `create table "article" ("id" serial primary key, ${stamps}, "slug" varchar(255) not null, "title" varchar(255) not null, "author_id" int not null)`,
      `alter table "article" add constraint "article_slug_unique" unique ("slug")`,
      `create index "article_title_index" on "article" ("title")`,
      `create table "article_tags" ("article_id" int not null, "tag_id" int not null, primary key ("article_id", "tag_id"))`,
      `alter table "article" add constraint "article_author_id_foreign" foreign key ("author_id") references "user" ("id")`,
      `alter table "article_tags" add constraint "article_tags_article_id_foreign" foreign key ("article_id") references "article" ("id") on update cascade on delete cascade`,
      `alter table "article_tags" add constraint "article_tags_tag_id_foreign" foreign key ("tag_id") references "tag" ("id") on update cascade on delete cascade`,
    ],
    ['drop table "article_tags"', 'drop table "article"', 'drop table "user"', 'drop table "tag"'],
  ),
  [`migrations/${comments}.ts`]: migration(
    comments,
    [
      `create table "comment" ("id" serial primary key, ${stamps}, "text" varchar(1000) not null, "article_id" int not null, "author_id" int not null)`,
      `alter table "comment" add constraint "comment_article_id_foreign" foreign key ("article_id") references "article" ("id")`,
      `alter table "comment" add constraint "comment_author_id_foreign" foreign key ("author_id") references "user" ("id")`,
    ],
    ['drop table "comment"'],
  ),
  [`migrations/${social}.ts`]: migration(
    social,
    ['alter table "user" add column "social" jsonb null'],
    ['alter table "user" drop column "social"'],
  ),
};

/** Returns a configuration with the blog's entities, with `more` in those of a user, and what comparisons ignore. */
function blogConfiguration(more = '', ignore: readonly string[] = []): string {
  return `import { defineConfig, defineEntity, p } from '@mikro-orm/postgresql';
import { comparisonSettings } from 'mikro-orm-safe-migrations';

const base = { id: p.integer().primary(), createdAt: p.datetime(), updatedAt: p.datetime() };
const User = defineEntity({ name: 'User', properties: { ...base, fullName: p.string(), email: p.string(), bio: p.text().default(''), social: p.json().nullable(), ${more} } });
const Tag = defineEntity({ name: 'Tag', properties: { ...base, name: p.string() } });
const Article = defineEntity({ name: 'Article', properties: { ...base, slug: p.string().unique(), title: p.string().index(), author: () => p.manyToOne(User), tags: () => p.manyToMany(Tag) } });
const Comment = defineEntity({ name: 'Comment', properties: { ...base, text: p.string().length(1000), article: () => p.manyToOne(Article), author: () => p.manyToOne(User) } });
export default defineConfig({ clientUrl: process.env['DATABASE_URL'], entities: [User, Tag, Article, Comment], migrations: comparisonSettings({ ignore: ${JSON.stringify(ignore)} }) });
`;
}

/** Applies a project's migrations by the ORM's own migrator. */
async function upByOrm(project: InstalledProject, url: string): Promise<void> {
  const orm = await MikroORM.init({
    clientUrl: url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    extensions: [OrmMigrator],
    logger: () => {},
    migrations: { path: join(project.directory, 'migrations'), snapshot: false },
  });
  await orm.migrator.up();
  await orm.close(true);
}

/** Runs commands, which have to end with 0, and returns the output of the last one. */
async function succeed(project: InstalledProject, ...commands: string[]): Promise<string> {
  let last = '';
  for (const command of commands) {
    const { code, stdout, stderr } = await project.run(...command.split(' '));
    expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' });
    last = stdout;
  }
  return last;
}

test('a project whose migrations the ORM applied is continued, and keeps its rows', async () => {
  await using db = await TestDatabase.create();
  const name = db.target.parts.database;
  await using project = await InstalledProject.create(
    { ...blog, 'mikro-orm.config.ts': blogConfiguration() },
    { DATABASE_URL: db.url },
  );
  await upByOrm(project, db.url);
  await db.orm.em.execute(
    `insert into "user" (created_at, updated_at, full_name, email, social) values (now(), now(), 'Ada', 'ada@example.com', '{"x": 1}')`,
  );

  expect(await succeed(project, 'status --exit-code', 'check', 'up')).toContain('othing is pending');
  await project.write('mikro-orm.config.ts', blogConfiguration(`motto: p.string().default("it's")`));
  await succeed(project, 'create add_motto', 'up', 'check', `redo --confirm ${name}`);
  await succeed(project, `down --to ${comments} --confirm ${name}`, 'up', 'check');

  expect(await db.orm.em.execute('select full_name, motto, social from "user"')).toEqual([
    { full_name: 'Ada', motto: "it's", social: null },
  ]);
  expect(await succeed(project, 'history')).toContain(social);
});

/** Returns the text of a configuration of one table, which ignores the other chain's. */
function chain(name: string): string {
  return `defineConfig({ contextName: '${name}', clientUrl: process.env['DATABASE_URL'],
  entities: [defineEntity({ name: '${name}', tableName: '${name}', properties: { id: p.integer().primary() } })],
  migrations: { path: 'migrations/${name}', tableName: 'migrations_of_${name}', ...comparisonSettings({ ignore: ['${name === 'shop' ? 'billing' : 'shop'}*'] }) } })`;
}

test('two chains with equal names of migrations share a database', async () => {
  await using db = await TestDatabase.create();
  await using project = await InstalledProject.create(
    {
      'mikro-orm.config.ts': `import { defineConfig, defineEntity, p } from '@mikro-orm/postgresql';
import { comparisonSettings } from 'mikro-orm-safe-migrations';
export default [${chain('shop')}, ${chain('billing')}];`,
      ...Object.fromEntries(
        ['shop', 'billing'].map((name) => [
          `migrations/${name}/Migration1_first.ts`,
          migration(
            'Migration1_first',
            [`create table ${name} (id serial primary key)`],
            [`drop table ${name}`],
          ),
        ]),
      ),
    },
    { DATABASE_URL: db.url },
  );

  await succeed(project, 'up --context shop', 'up --context billing');
  await succeed(
    project,
    'status --exit-code --context shop',
    'check --context shop',
    'check --context billing',
  );
  await succeed(project, 'down --context billing');

  expect(await succeed(project, 'status --exit-code --context shop')).toContain('Migration1_first');
  expect(await project.run('status', '--exit-code', '--context', 'billing')).toMatchObject({ code: 3 });
  expect(
    await db.orm.em.execute(
      `select to_regclass('shop') is null as shop, to_regclass('billing') is null as billing`,
    ),
  ).toEqual([{ shop: false, billing: true }]);
});

test('a project behind a pooler in transaction mode', async ({ skip }) => {
  if (whyNoPooler !== null) skip(whyNoPooler);
  await using db = await TestDatabase.create();
  await using pooler = await PgBouncer.start(db.target, { poolMode: 'transaction', serverConnections: 2 });
  await using project = await InstalledProject.create(
    { ...blog, 'mikro-orm.config.ts': blogConfiguration() },
    { DATABASE_URL: pooler.url() },
  );

  await succeed(project, 'plan', 'up', 'check', `down --all --confirm ${db.target.parts.database}`, 'up');

  expect(await succeed(project, 'status --exit-code', 'history')).toContain(first);
});

test('a project whose role is no superuser, with extensions of others', async () => {
  const db = await emptyDatabase();
  const role = await createRole(db, 'createdb');
  await db.orm.em.execute(
    `create extension pg_stat_statements; create schema extensions; create extension pg_trgm schema extensions;
     grant create on database "${db.target.parts.database}" to ${role.name}; grant all on schema public to ${role.name};
     grant usage on schema extensions to ${role.name}`,
  );
  const ignore = ['extension *', 'schema extensions'];
  await using project = await InstalledProject.create(
    { ...blog, 'mikro-orm.config.ts': blogConfiguration('', ignore) },
    { DATABASE_URL: role.url },
  );
  await upByOrm(project, role.url);
  await db.orm.em.execute('drop table mikro_orm_migrations');

  await succeed(project, `baseline ${social}`, 'status --exit-code', 'check', 'up');
  await project.write('mikro-orm.config.ts', blogConfiguration('motto: p.text().nullable()', ignore));
  await succeed(project, 'create add_motto', 'up', 'check');

  expect(await succeed(project, 'history')).toContain('add_motto');
});
