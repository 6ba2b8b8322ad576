import { Client } from 'pg';
import type { Database } from '../../src/index.ts';
import type { TestDatabase } from '../../src/testing/index.ts';
import type { Case } from './cases.ts';
import { run } from './measure.ts';

/** Returns the plan of each statement that a case sends, as the server ran it. */
export async function explainSlow(
  database: TestDatabase,
  { call, locks }: Case,
  size: number,
): Promise<string> {
  const sent = await statementsOf(database, locks, (uow) => call(uow, size));
  const client = new Client(database.url);
  await client.connect();
  try {
    const plans: string[] = [];
    for (const { text, values } of sent) {
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `explain (analyze, buffers, costs off, timing off) ${text}`,
        values,
      );
      plans.push(text, ...rows.map((row) => `    ${row['QUERY PLAN']}`));
    }
    return plans.join('\n');
  } finally {
    await client.end();
  }
}

type Run = Parameters<typeof run>[2];

async function statementsOf(
  database: Database,
  locks: boolean,
  call: Run,
): Promise<{ text: string; values: unknown[] }[]> {
  const sent: { text: string; values: unknown[] }[] = [];
  const query: unknown = Reflect.get(Client.prototype, 'query');
  Object.defineProperty(Client.prototype, 'query', {
    configurable: true,
    writable: true,
    value(this: Client, ...given: unknown[]): unknown {
      const [first, second] = given;
      const text = typeof first === 'string' ? first : String(Reflect.get(Object(first), 'text'));
      const values: unknown = typeof first === 'string' ? second : Reflect.get(Object(first), 'values');
      if (/^\s*(?:select|with)/i.test(text)) sent.push({ text, values: Array.isArray(values) ? values : [] });
      return typeof query === 'function' ? Reflect.apply(query, this, given) : undefined;
    },
  });
  try {
    await run(database, locks, call);
  } finally {
    Object.defineProperty(Client.prototype, 'query', { configurable: true, writable: true, value: query });
  }
  return sent;
}
