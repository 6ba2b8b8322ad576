import { countingQuery } from '../files/checks.ts';
import type { Session } from '../session/session.ts';
import type { Step } from './step.ts';

/**
 * Runs the checks that a migration declares, for rows that must not exist when `up` begins or ends.
 *
 * @throws Error when one returns a row.
 */
export async function requireNoRows(
  session: Session,
  { migration: { settings }, direction }: Step,
  when: 'prechecks' | 'postchecks',
): Promise<void> {
  if (direction === 'down') return;
  for (const check of settings[when] ?? []) {
    const [row] = await session.query<{ found0: string }>(await countingQuery(check));
    const found = Number(row?.found0);
    if (found > 0)
      throw new Error(
        `a query of its ${when} returns ${found === 1 ? '1 row' : `${found} rows`}: ${check.trim()}`,
      );
  }
}
