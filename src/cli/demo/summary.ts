import type { UnitOfWork } from '../../database/units/unit-of-work.ts';
import { keys } from './keys.ts';

/** One line of what the demo stored. */
export interface Stored {
  readonly what: string;
  readonly rows: number;
  readonly detail: string;
}

/** What the demo stored, read back from the database. */
export function summary({ em }: UnitOfWork): Promise<Stored[]> {
  return em.execute<Stored[]>(
    `
    select 'synth group' as what, count(*)::int as rows, max(name) as detail from synth_groups where id = ?
    union all
    select * from (
      select 'synths, ' || (data #>> '{demografia,localizacao,regiao}'), count(*)::int,
        'mean age ' || round(avg((data #>> '{demografia,idade}')::int), 1)
      from synths where synth_group_id = ? group by 1 order by 2 desc, 1
    ) regions
    union all
    select 'experiment', count(*)::int, max(name) from experiments where id = ?
    union all
    select 'analysis', count(*)::int, max(status) || ', ' || max(total_synths) || ' synths' from analysis_runs where id = ?
    union all
    select 'outcomes', count(*)::int, 'success ' || round(avg(success_rate)::numeric, 3) || ', failed '
      || round(avg(failed_rate)::numeric, 3) || ', did not try ' || round(avg(did_not_try_rate)::numeric, 3)
    from synth_outcomes where analysis_id = ?
    union all
    select 'exploration nodes', count(*)::int, 'winner ' || max(short_action) filter (where node_status = 'winner')
    from scenario_nodes where exploration_id = ?
    `,
    [keys.group, keys.group, keys.experiment, keys.analysis, keys.analysis, keys.exploration],
  );
}
