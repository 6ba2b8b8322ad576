import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { readChecks, readColumns } from './catalog.ts';
import { checkValues } from './check-values.ts';
import { insertBareRows } from './rows.ts';

const db = await TestDatabase.create();
afterAll(() => db.drop());
await insertBareRows(db.orm.em);

const checks = await readChecks(db.orm.em);
const cases = checks.flatMap((check) => {
  const values = checkValues(check);
  return values ? [{ ...check, ...values, place: `${check.table}.${values.column}` }] : [];
});
const refused = cases.flatMap(({ place, name, refused: values }) =>
  values.map((value) => ({ place, value, constraint: name, shown: shown(value) })),
);
const accepted = cases.flatMap(({ place, table, column, accepted: values }) =>
  values
    // A name of white space is short enough by one rule, and refused by another.
    .filter((value) => !refused.some((other) => other.place === place && other.value === value))
    .map((value) => ({ place, table, column, value, shown: shown(value) })),
);
const nullable = (await readColumns(db.orm.em))
  .filter(({ required }) => !required)
  .map(({ table, name }) => ({ place: `${table}.${name}` }));

describe('values', () => {
  test('every CHECK has values that it refuses', () => {
    const tried: ReadonlySet<string> = new Set(refused.map(({ constraint }) => constraint));

    const untried = checks.filter(({ name }) => !tried.has(name));

    expect(untried, 'add the form of the rule to test/schema/check-values.ts').toEqual([]);
  });

  test.each(refused)('$place does not take $shown', ({ place, value, constraint }) =>
    db.rollback(async ({ em }) => {
      await expect(write(em, place, value)).rejects.toMatchObject({ constraint });
    }),
  );

  test.each(accepted)('$place takes $shown', ({ place, value }) =>
    db.rollback(async ({ em }) => {
      expect(await write(em, place, value)).toMatchObject({ affectedRows: 1 });
    }),
  );

  test.each(nullable)('$place takes null', ({ place }) =>
    db.rollback(async ({ em }) => {
      expect(await write(em, place, null)).toMatchObject({ affectedRows: 1 });
    }),
  );
});

/** How a value is shown in a test's name. */
function shown(value: string): string {
  if (value.length <= 20) return JSON.stringify(value);
  const first = String.fromCodePoint(value.codePointAt(0) ?? 0);
  return `${value.length / first.length} times ${first}`;
}

/** Sets the column of one row of its table, to which no other row refers. */
function write(em: EntityManager, place: string, value: string | null) {
  const [table, name] = place.split('.');
  return em.execute(
    `update "${table}" set "${name}" = ? where ctid = (select max(ctid) from "${table}")`,
    [value],
    'run',
  );
}
