import { Migrator } from 'mikro-orm-safe-migrations';
import { TestDatabase } from '../kit/database.ts';
import { projectOn, type Migrations } from '../project.ts';
import { shop } from './unsafe.ts';

export async function underTraffic(last: Migrations[string], before: readonly string[] = shop) {
  await using db = await TestDatabase.create();
  const orm = projectOn(db.url, { M1: { up: before }, M9: last });
  try {
    const [certificate] = await new Migrator(orm, { lockTimeout: 500 }).verify({
      migrations: ['M9'],
      traffic: true,
    });
    if (!certificate?.traffic) throw new Error('no report');
    return certificate.traffic;
  } finally {
    await orm.close(true);
  }
}
