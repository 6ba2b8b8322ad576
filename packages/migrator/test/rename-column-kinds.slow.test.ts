import { expect, test } from 'vitest';
import { describeDifference, type Difference } from 'mikro-orm-safe-migrations';
import { readCatalog, type Catalog } from '../src/catalog/catalog.ts';
import { differences } from '../src/catalog/differences.ts';
import type { Entities } from './created-project.ts';
import { emptyDatabase, type TestDatabase } from './kit/database.ts';
import { renamedKinds } from './renamed-kinds.ts';
import { renamedProject } from './renamed-project.ts';

async function serverVersion(): Promise<number> {
  const db = await emptyDatabase();
  const [row] = await db.orm.em.execute<{ version: number }[]>(
    `select current_setting('server_version_num')::int as version`,
  );
  return row?.version ?? 0;
}

async function catalogOf(db: TestDatabase): Promise<Catalog> {
  return readCatalog(db.orm);
}

// A new column is the last one, also in the statistics that contain it.
function isNotAboutOrder({ fact, part }: Difference): boolean {
  return fact !== 'order of columns' && part !== 'statistics book_pairs';
}

function differing(expected: Catalog, found: Catalog): string[] {
  return differences(expected, found).filter(isNotAboutOrder).map(describeDifference);
}

test.for(renamedKinds)(
  '$name: both parts go up and down',
  async ({ made, rows: inserted, table = 'books', column, since = 0, entities }, { skip }) => {
    if (since > (await serverVersion())) skip(`the server is older than ${since}`);
    const { from, to } = column ?? { from: 'title', to: 'name' };
    const [old, next] = [`"${from}"`, `"${to.replaceAll('"', '""')}"`];
    const plainTable = table.replaceAll('""', '\u0000').replaceAll('"', '').replaceAll('\u0000', '"');
    const project = await renamedProject({ made, rows: inserted, entities: entities(to) });
    const { db } = project;
    const before = await catalogOf(db);
    const values = (name: string): Promise<unknown> =>
      db.orm.em.execute(
        `select (to_jsonb(t) - $$${from}$$::text - $$${to}$$::text)::text as others, ${name}::text as value from ${table} t order by 1`,
      );
    const expected = await values(old);
    const clean = async (of: Entities = entities(to)) => {
      const {
        agrees,
        entityDifferences,
        entities: statements,
        database,
      } = await project.migrator(of).check();
      return { entityDifferences, statements, database, agrees };
    };
    // Such as an index that no entity describes.
    const { agrees: agreed, statements: others } = await clean(entities(from));
    const green = { agrees: agreed, entityDifferences: [], statements: others, database: [] };
    const equal = async () =>
      db.orm.em.execute(
        `select count(*)::int as unequal from ${table} where record_image_ne(row(${old}), row(${next}))`,
      );
    const plain = await emptyDatabase();
    for (const sql of [...made, `alter table ${table} rename column ${old} to ${next}`])
      await plain.orm.em.execute(sql);
    // Names that the entities have for the new column alone are not those of a plain rename.
    const renamed = async () =>
      differing(await catalogOf(plain), await catalogOf(db)).filter(
        (line) => !/books_(?:title|name)_/.test(line),
      );

    const expand = await project.create('rename', { renameColumn: { from: `${plainTable}.${from}`, to } });
    await project.migrator().up();
    expect(await clean()).toEqual(green);
    expect(await equal()).toEqual([{ unequal: 0 }]);
    expect(await values(next)).toEqual(expected);

    const contract = await project.create('contract', { contract: `${plainTable}.${from}` });
    await project.migrator().up();
    expect(await clean()).toEqual(green);
    expect(await renamed()).toEqual([]);
    expect(await values(next)).toEqual(expected);

    const names = [expand?.name ?? '', contract?.name ?? ''];
    const certificates = await project.migrator().verify({ migrations: names });
    expect(
      certificates.map(({ certificate, notCovered, ...all }) =>
        certificate === 'lossless' ? { certificate, notCovered } : { certificate, notCovered, all },
      ),
    ).toEqual([
      { certificate: 'lossless', notCovered: [] },
      { certificate: 'lossless', notCovered: [] },
    ]);
    const { findings, notLinted } = await project.migrator().lint({ migrations: names });
    expect({ findings, notLinted }).toEqual({ findings: [], notLinted: [] });

    await project.migrator().down();
    expect(await clean()).toEqual({ ...green, agrees: false });
    expect(await equal()).toEqual([{ unequal: 0 }]);
    expect(await values(old)).toEqual(expected);

    await project.migrator().down();
    expect(differing(before, await catalogOf(db))).toEqual([]);
    expect(await values(old)).toEqual(expected);
    const { database, migrations } = await project.migrator(entities(from)).check();
    // The contract's `down` adds the column as the last one.
    const found = database?.filter(isNotAboutOrder);
    expect({ database: found, pending: migrations.length }).toEqual({ database: [], pending: 2 });
  },
);
