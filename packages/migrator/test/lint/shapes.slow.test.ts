import { expect, test } from 'vitest';
import { emptyDatabase, migratorOn } from '../kit/database.ts';
import type { Migrations } from '../project.ts';
import { groups } from '../statement-shapes/groups.ts';
import type { Shape } from '../statement-shapes/shape.ts';

// The others need a newer server, a setting, or objects of the server that a scratch database does not get.
function isLintable({ since, needs, fails, undo, refused }: Shape): boolean {
  const isSent = refused === undefined || refused.transactional === 'outside';
  return isSent && !since && !needs && !fails && !undo;
}

function named(sql: string): string {
  return sql.replaceAll('{db}', 'none');
}

test.each(Object.entries(groups))('every kind of statement is linted: %s', async (_, shapes) => {
  const db = await emptyDatabase();
  const migrations: Migrations = Object.fromEntries(
    shapes.filter(isLintable).flatMap(({ sql, prepare = [], refused }, index) => {
      const name = `S${String(index).padStart(3, '0')}`;
      return [
        [`${name}a`, { up: prepare.map(named), transactional: false }],
        [`${name}b`, { up: [named(sql)], transactional: !refused, down: null }],
      ];
    }),
  );
  const names = Object.keys(migrations).filter((name) => name.endsWith('b'));

  const report = await migratorOn(db, migrations).lint({ migrations: names });

  expect(report.notLinted).toEqual([]);
  expect(report.migrations).toEqual(names);
});
