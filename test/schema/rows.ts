import type { EntityManager } from '@mikro-orm/postgresql';
import { TestDatabase } from '../../src/testing/index.ts';
import { factories } from '../concurrency/histories/factories.ts';
import { readColumns, type Column } from './catalog.ts';
import { edgeValues } from './edge-values.ts';
import { tables } from './tables.ts';

/** Rows of one table as a JSON array, as PostgreSQL makes it. */
type Captured = readonly (readonly [table: string, rows: string])[];

let bare: Promise<Captured> | undefined;
let full: Promise<Captured> | undefined;

/** Inserts a row into each table that exists, or `only` into some, with a value only where one is required and the server has no default. */
export async function insertBareRows(em: EntityManager, only?: readonly string[]): Promise<void> {
  bare ??= capture(1, async () => {});
  const columns = (await readColumns(em)).filter((column) => column.required && column.default === null);
  await insert(em, await bare, columns, only);
}

/** Inserts three rows into each table that exists, or `only` into some, with a value in every column, at the edge of what its CHECKs accept. */
export async function insertFullRows(em: EntityManager, only?: readonly string[]): Promise<void> {
  full ??= capture(3, fillToTheEdge);
  // Versions start at 1: going back loses them.
  const columns = (await readColumns(em)).filter(({ name }) => name !== 'row_version');
  await insert(em, await full, columns, only);
}

async function insert(
  em: EntityManager,
  captured: Captured,
  columns: readonly Column[],
  only?: readonly string[],
): Promise<void> {
  for (const [table, rows] of captured) {
    const names = columns.filter((column) => column.table === table).map(({ name }) => `"${name}"`);
    if (names.length === 0 || only?.includes(table) === false) continue;
    const list = names.join(', ');
    await em.execute(
      `insert into "${table}" (${list}) select ${list} from jsonb_populate_recordset(null::"${table}", ?::jsonb)`,
      [rows],
    );
  }
}

/** Stages rows by the factories, has them changed, and returns what the tables hold then. Nothing of it is kept. */
async function capture(count: number, change: (em: EntityManager) => Promise<void>): Promise<Captured> {
  await using db = await TestDatabase.create();
  const captured: [string, string][] = [];
  await db.rollback(async ({ em }) => {
    for (const [, factory] of factories) for (let made = 0; made < count; made++) factory(em);
    await em.flush();
    for (const join of tables.filter(({ pivotTable }) => pivotTable)) await em.execute(joinRows(join));
    await change(em);
    for (const { tableName } of tables) {
      const [row] = await em.execute<{ rows: string }[]>(
        `select coalesce(jsonb_agg(t), '[]')::text as rows from "${tableName}" t`,
      );
      captured.push([tableName, row?.rows ?? '[]']);
    }
  });
  return captured;
}

/** The statement that joins rows in a table of the ORM's own, which has no factory. */
function joinRows({ tableName, relations }: (typeof tables)[number]): string {
  const columns = relations.flatMap(({ joinColumns }) => joinColumns);
  const parents = relations.map(
    ({ referencedColumnNames: [key], targetMeta }, at) =>
      `(select "${key}" as k${at}, row_number() over () as n from "${targetMeta?.tableName}") p${at}`,
  );
  return `insert into "${tableName}" (${columns.join(', ')}) select ${parents.map((_, at) => `k${at}`).join(', ')}
    from ${parents.join(' join ')} using (n) limit 3`;
}

/** Gives each row edge values, another one in each row of a table, and a parent wherever it can have one. */
async function fillToTheEdge(em: EntityManager): Promise<void> {
  const parents = new Map(
    tables.flatMap(({ tableName, relations }) =>
      relations.flatMap(({ joinColumns: [column], referencedColumnNames: [key], targetMeta }) =>
        targetMeta
          ? [[`${tableName}.${column}`, `select "${key}"::text from "${targetMeta.tableName}"`]]
          : [],
      ),
    ),
  );
  for (const { table, name, type } of await readColumns(em)) {
    if (name === 'row_version') continue;
    const values =
      parents.get(`${table}.${name}`) ?? `select unnest(array[${edgeValues(type).map(literal).join(', ')}])`;
    // What a constraint refuses is passed over.
    await em.execute(`do $do$
      declare place tid; value text; number int := 0; found text[] := array(${values});
      begin
        for place in select ctid from "${table}" loop
          for turn in 1 .. cardinality(found) loop
            begin
              value := found[1 + (number + turn - 1) % cardinality(found)];
              update "${table}" set "${name}" = value::${type} where ctid = place;
              exit;
            exception when integrity_constraint_violation or data_exception then null;
            end;
          end loop;
          number := number + 1;
        end loop;
      end $do$`);
  }
}

function literal(value: string): string {
  return `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
