import { Client } from 'pg';
import { expect } from 'vitest';
import { sql } from './sql.ts';

/** Transactions that are committed one after the other until the server ends. */
export interface AnsweredCommits {
  /** How many the server has said are committed, by when the connection is lost. */
  readonly ended: Promise<number>;
  /** How many rows of the answered ones a server has. */
  stored(url: string): Promise<number>;
}

/** Commits rows to a server, from 1 on, and returns when it has answered the first ten. */
export async function answeredCommits(url: string): Promise<AnsweredCommits> {
  const table = `commits_${Date.now()}`;
  await sql(url, `create table ${table} (number integer primary key)`);
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  let answered = 0;
  const ended = (async () => {
    try {
      for (;;) {
        await client.query(`insert into ${table} values (${answered + 1})`);
        answered += 1;
      }
    } catch {
      return answered;
    }
  })();
  await expect.poll(() => answered).toBeGreaterThan(10);
  return {
    ended,
    stored: async (later) => {
      const [row] = await sql(later, `select count(*)::int n from ${table} where number <= ${answered}`);
      return Number(row?.['n']);
    },
  };
}
