import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding, LintReport } from 'mikro-orm-safe-migrations';
import type { ExampleMigration } from '../../src/lint/rules/rule.ts';
import { actingStatements } from '../../src/sql/statement-actions.ts';
import { rules } from '../../src/lint/rules.ts';
import { TestDatabase } from '../kit/database.ts';
import { again, lintExamples } from './example-chain.ts';

const rows = [
  `insert into customers select n, 'c' || n, 'name ' || n from generate_series(1, 2000) n`,
  `insert into orders (id, customer_id, number, note, total, state, placed_at)
   select n, n, n, 'note', n, 'new', now() from generate_series(1, 2000) n`,
  `insert into events select n, '2025-06-01' from generate_series(1, 2000) n`,
  `insert into events_2026 select n, '2026-06-01' from generate_series(1, 2000) n`,
];

let report: LintReport;
let db: TestDatabase;
let migrating: Client;
let reader: Client;
let writer: Client;

beforeAll(async () => {
  report = await lintExamples();
  db = await TestDatabase.create();
  [migrating, reader, writer] = [await connected(), await connected(), await connected()];
});
afterAll(async () => {
  await Promise.all([migrating.end(), reader.end(), writer.end()]);
  await db.drop();
});

async function connected(): Promise<Client> {
  const client = new Client({ connectionString: db.url });
  await client.connect();
  return client;
}

async function createSchema(filled: boolean): Promise<void> {
  for (const sql of [...again, ...(filled ? rows : [])]) await migrating.query(sql);
}

/** Whether a statement waits for a lock for longer than `timeout`. */
async function isStalled(client: Client, sql: string, timeout: string): Promise<boolean> {
  await client.query(`set lock_timeout = '${timeout}'`);
  try {
    await client.query(sql);
    return false;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '55P03') return true;
    throw error;
  }
}

const reading = (table: string): string => `select count(*) from ${table}`;
const writing = (table: string): string => `update ${table} set id = id where id = 1`;
// No writer uses these.
const views: ReadonlySet<string | null> = new Set(['order_totals', 'order_notes']);

/** What a table's lock stops, as a reader and a writer see it. */
async function blockedNow(table: string): Promise<Finding['blocks']> {
  const [reads, writes] = await Promise.all([
    isStalled(reader, reading(table), '50ms'),
    views.has(table) ? true : isStalled(writer, writing(table), '50ms'),
  ]);
  return reads ? 'reads and writes' : writes ? 'writes' : 'nothing';
}

function findingsIn(name: string): Finding[] {
  return report.findings.filter(({ migration, table }) => migration === `${name}: unsafe` && table !== null);
}

const held = rules.filter(({ unsafe: { transactional = true } }) => transactional);

describe('what the unsafe form blocks is what is reported', () => {
  test.each(held)('$name', async ({ name, unsafe: { up, down = [] } }) => {
    // It fails where there are rows.
    await createSchema(name !== 'add-required-column');
    const found = findingsIn(name);
    const seen: unknown[] = [];

    await migrating.query('begin');
    for (const [direction, statements] of [
      ['up', up],
      ['down', down],
    ] as const) {
      for (const [index, sql] of statements.entries()) {
        const failed = await migrating.query(sql).then(
          () => false,
          () => true,
        );
        if (failed) break;
        for (const one of found) {
          if (one.direction === direction && one.statement === index + 1)
            seen.push({ rule: one.rule, table: one.table, blocks: await blockedNow(one.table ?? '') });
        }
      }
    }
    await migrating.query('rollback');

    expect(seen).toEqual(found.map(({ rule, table, blocks }) => ({ rule, table, blocks })));
  });

  test.each(rules.filter((one) => !held.includes(one)))(
    '$name, outside a transaction',
    async ({ name, unsafe }) => {
      await createSchema(true);
      const [{ table, lock } = { table: null, lock: null }] = findingsIn(name);
      await reader.query(`begin; lock table ${table} in access share mode`);

      const work = migrating.query(unsafe.up[0] ?? '');
      const waiting = async () => {
        const { rows: found } = await writer.query<{ mode: string }>(
          'select mode from pg_locks where not granted and relation = $1::regclass',
          [table],
        );
        return found.map(({ mode }) => mode);
      };
      await expect.poll(waiting).toEqual([lock]);
      await reader.query('rollback');
      await work;
    },
  );
});

async function run({ up, transactional = true }: ExampleMigration): Promise<void> {
  if (transactional) await migrating.query('begin');
  for (const sql of up) await migrating.query(sql);
  if (transactional) await migrating.query('commit');
}

// Some leave a gap for what only the author knows, or are TypeScript.
function isComplete({ safe }: Finding): boolean {
  return !safe.includes('…') && !/^(?:\/\/|static|readonly)/m.test(safe);
}

describe('the safe form of a finding runs as it is printed', () => {
  test.each(rules)('$name', async ({ name, unsafe: { up } }) => {
    const found = report.findings.filter(
      ({ migration, rule }) => migration === `${name}: unsafe` && rule === name,
    );
    const failures: string[] = [];

    for (const { safe, statement } of found.filter(isComplete)) {
      await createSchema(false);
      for (const sql of up.slice(0, (statement ?? 1) - 1)) await migrating.query(sql);
      for (const { text } of await actingStatements(safe))
        await migrating.query(text).catch((error: unknown) => failures.push(`${text}: ${String(error)}`));
    }

    expect(failures).toEqual([]);
  });
});

describe('the safe form makes no session wait', () => {
  test.each(rules)('$name', async ({ name, safe }) => {
    await createSchema(true);
    const table = findingsIn(name).find((one) => !views.has(one.table))?.table ?? 'orders';
    const ended = new AbortController();
    const meanwhile = async (client: Client, sql: string): Promise<number> => {
      let stalled = 0;
      while (!ended.signal.aborted) if (await isStalled(client, sql, '1s')) stalled++;
      return stalled;
    };
    const others = [meanwhile(reader, reading(table)), meanwhile(writer, writing(table))];

    try {
      for (const one of safe) await run(one);
    } finally {
      ended.abort();
    }

    expect(await Promise.all(others)).toEqual([0, 0]);
  });
});
