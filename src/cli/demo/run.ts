import { print, printJson, table } from 'mikro-orm-safe-migrations/cli';
import { migrationGap } from 'mikro-orm-safe-migrations';
import { Database } from '../../database/database.ts';
import type { UnitOfWork } from '../../database/units/unit-of-work.ts';
import { SchemaOutOfDateError } from '../../errors.ts';
import { printDatabase, withDatabase } from '../connection/with-database.ts';
import { demoKeys, storeDemo } from './store-demo.ts';

interface DemoRows {
  readonly what: string;
  readonly rows: number;
  readonly detail: string;
}

/** Runs `synthdb demo`: stores the sample experiment, and prints what is stored. */
export function runDemo(json: boolean): Promise<void> {
  return withDatabase('application', async (orm, info) => {
    const { pending } = await migrationGap(orm);
    if (pending.length > 0) throw new SchemaOutOfDateError(pending);
    const database = new Database(orm);
    await storeDemo(database);
    const stored = await database.transact(summarize);
    if (json) return printJson({ database: info.database, stored });
    printDatabase(info);
    print(
      table(
        ['stored', 'rows', ''],
        stored.map(({ what, rows, detail }) => [what, String(rows), detail]),
      ),
    );
  });
}

function summarize({ em }: UnitOfWork): Promise<DemoRows[]> {
  const { group, experiment, analysis, exploration } = demoKeys;
  return em.execute<DemoRows[]>(
    `
    select 'synth group' as what, count(*)::int as rows, max(name) as detail from synth_groups where id = ?
    union all
    select 'synths', count(*)::int, 'mean age ' || round(avg((data #>> '{demografia,idade}')::int), 1)
    from synths where synth_group_id = ?
    union all
    select 'experiment', count(*)::int, max(name) from experiments where id = ?
    union all
    select 'analysis', count(*)::int, max(status) || ', ' || max(total_synths) || ' synths' from analysis_runs where id = ?
    union all
    select 'outcomes', count(*)::int, 'success ' || round(avg(success_rate)::numeric, 3) from synth_outcomes where analysis_id = ?
    union all
    select 'exploration nodes', count(*)::int, 'winner ' || max(short_action) filter (where node_status = 'winner')
    from scenario_nodes where exploration_id = ?
    `,
    [group, group, experiment, analysis, analysis, exploration],
  );
}
