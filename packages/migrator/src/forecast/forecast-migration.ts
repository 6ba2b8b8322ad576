import { describeServerError } from '../session/describe-server-error.ts';
import type { VerificationContext } from '../verify/context.ts';
import { sidesOf } from '../verify/measure-migration.ts';
import { extrapolate } from './extrapolate.ts';
import { unknownForecast, type Forecast } from './forecast.ts';
import type { MigrationToForecast } from './migration-to-forecast.ts';
import { Sampler } from './sampler.ts';
import { statisticsOf } from './table-ids.ts';

/** Measures a step on few rows and on many, and extrapolates. Discards the copy of the workspace. */
export async function forecastMigration(
  context: VerificationContext,
  step: MigrationToForecast,
): Promise<Forecast> {
  const { migration, direction, statistics, originals } = step;
  const of = { migration: migration.name, direction };
  const unknown = (why: string): Forecast => unknownForecast({ name: migration.name, direction }, why);
  const sides = await sidesOf(context, migration, direction);
  if (sides === null) return unknown(`${direction} fails without rows`);
  const known = await statisticsOf(context.workspace, sides.before, { statistics, originals });
  const attempt = async (isShaped: boolean): Promise<Forecast> => {
    const sampler = new Sampler(context, step, { sides, known, isShaped });
    const { few, many } = await sampler.samples();
    const tables = sampler.tables(many[0]?.share ?? 1);
    const rows = Math.max(0, ...tables.map((one) => one.rows));
    const statements = extrapolate({ few, many, rows, transactional: migration.transactional });
    const durationMs = Math.round(statements.reduce((sum, one) => sum + one.durationMs, 0) * 10) / 10;
    return { ...of, durationMs, statements, tables, unknown: null };
  };
  try {
    // The migration may refuse rows that the real tables do not have.
    return await attempt(true).catch(() => attempt(false));
  } catch (error) {
    return unknown(`${direction} fails on generated rows: ${describeServerError(error, [])}`);
  }
}
