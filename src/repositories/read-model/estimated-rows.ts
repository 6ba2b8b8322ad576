import { z } from 'zod';
import type { Row } from './row.ts';

const Explained = z.object({
  'QUERY PLAN': z.tuple([z.object({ Plan: z.object({ 'Plan Rows': z.number() }) })]),
});

/** Returns the number of rows that the planner expects, of the row of `explain (format json)`. */
export function estimatedRows(row: Row | undefined): number {
  return Explained.parse(row)['QUERY PLAN'][0].Plan['Plan Rows'];
}
