import type pg from 'pg';
import { openDatabase, type Database } from '../src/index.ts';
import type { TestDatabase } from '../src/testing/index.ts';

/** A result that is not a ratio to the driver. */
export interface Figure {
  readonly name: string;
  readonly figure: string;
  readonly toReach: string;
}

/** Measures start-up, and keyset paging over a million rows. */
export async function absolutes(database: TestDatabase, pool: pg.Pool): Promise<Figure[]> {
  return [await firstRow(database), await keyset(database, pool)];
}

async function firstRow(database: TestDatabase): Promise<Figure> {
  const { host, port, user, password, database: name } = database.target.parts;
  const url = `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${name}`;
  const times: number[] = [];
  for (let i = 0; i < 7; i++) {
    const start = performance.now();
    await using opened = await openDatabase({ url });
    await opened.read(({ experiments }) => experiments.pageSummaries({ limit: 1 }));
    times.push(performance.now() - start);
  }
  return { name: 'openDatabase to first row', figure: `${median(times).toFixed(0)} ms`, toReach: '≤ 250 ms' };
}

async function keyset(database: Database, pool: pg.Pool): Promise<Figure> {
  await pool.query(
    `insert into synths (id, nome, created_at) select 'syn_' || i, 'n', now() - i * interval '1 microsecond' from generate_series(1, 1000000) i`,
  );
  await pool.query('vacuum analyze synths');
  const timed = async (after: string | null): Promise<number> => {
    const start = performance.now();
    await database.read(({ synths }) => synths.scrollSummaries({ after, first: 200 }));
    return performance.now() - start;
  };
  // Reads every page, and keeps the cursor of the last one.
  let [after, previous, rows, more]: [string | null, string | null, number, boolean] = [null, null, 0, true];
  do {
    const page = await database.read(({ synths }) => synths.scrollSummaries({ after, first: 200 }));
    [previous, after, more] = [after, page.pagination.endCursor, page.pagination.hasNextPage];
    rows += page.data.length;
  } while (more);
  // Alternating, so that both have the same noise.
  const [firsts, lasts]: [number[], number[]] = [[], []];
  for (let i = 0; i < 200; i++) {
    firsts.push(await timed(null));
    lasts.push(await timed(previous));
  }
  const [first, last] = [median(firsts), median(lasts)];
  return {
    name: `keyset paging over ${rows.toLocaleString('en')} rows, last page ÷ first`,
    figure: `${(last / first).toFixed(2)} (${last.toFixed(2)} ms, ${first.toFixed(2)} ms)`,
    toReach: '≤ 1.2',
  };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
