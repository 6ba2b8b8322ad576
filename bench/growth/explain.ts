import { Client } from 'pg';
import type { Database } from '../../src/index.ts';
import type { TestDatabase } from '../../src/testing/index.ts';
import type { Case } from './cases.ts';
import { run } from './measure.ts';

interface Sent {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Returns the plan of each statement that a case sends, as the server ran it. */
export async function explainSlow(
  database: TestDatabase,
  { call, locks }: Case,
  size: number,
): Promise<string> {
  const statements = await statementsOf(database, locks, (uow) => call(uow, size));
  const client = new Client(database.url);
  await client.connect();
  try {
    const plans: string[] = [];
    for (const { text, values } of statements) {
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `explain (analyze, buffers, costs off, timing off) ${text}`,
        [...values],
      );
      plans.push(text, ...rows.map((row) => `    ${row['QUERY PLAN']}`));
    }
    return plans.join('\n');
  } finally {
    await client.end();
  }
}

/** The statements that the running case has sent; undefined between two cases. */
let sent: Sent[] | undefined;

// When this file is loaded: clients hold on to the method that they begin with.
const query: unknown = Reflect.get(Client.prototype, 'query');
Object.defineProperty(Client.prototype, 'query', {
  configurable: true,
  writable: true,
  value(this: Client, ...given: unknown[]): unknown {
    const [first, second] = given;
    const text = typeof first === 'string' ? first : String(Reflect.get(Object(first), 'text'));
    const values: unknown = typeof first === 'string' ? second : Reflect.get(Object(first), 'values');
    if (/^\s*(?:select|with)/i.test(text)) sent?.push({ text, values: Array.isArray(values) ? values : [] });
    return typeof query === 'function' ? Reflect.apply(query, this, given) : undefined;
  },
});

async function statementsOf(
  database: Database,
  locks: boolean,
  call: Parameters<typeof run>[2],
): Promise<Sent[]> {
  sent = [];
  await run(database, locks, call);
  const all = sent;
  sent = undefined;
  return all;
}
