/** Statements that fill a legacy file with about so many rows of the kinds that there are most of. */
export function manyRows(count: number): string {
  const perRun = 500;
  const runs = Math.ceil(count / perRun);
  const time = `'2025-03-0' || (1 + i % 9) || 'T12:00:00.' || printf('%06d', i % 1000000) || '+00:00'`;
  const attributes = `json_object(
      'observables', json_object('digital_literacy', ${rate(7)}, 'similar_tool_experience', ${rate(11)}, 'motor_ability', ${rate(13)},
        'time_availability', ${rate(17)}, 'domain_expertise', ${rate(19)}),
      'latent_traits', json_object('capability_mean', ${rate(23)}, 'trust_mean', ${rate(29)}, 'friction_tolerance_mean', ${rate(31)},
        'exploration_prob', ${rate(37)}))`;
  return `
    insert into experiments (id, name, hypothesis, created_at)
      ${numbers(runs)} select printf('exp_%08x', i), 'Experiment ' || i, 'It helps', ${time} from numbers;
    insert into analysis_runs (id, experiment_id, config, status, started_at, total_synths)
      ${numbers(runs)} select printf('ana_%08x', i), printf('exp_%08x', i), '{"n_synths": 500, "sigma": 0.05}', 'completed', ${time}, 500
        from numbers;
    insert into synth_outcomes (id, analysis_id, synth_id, did_not_try_rate, failed_rate, success_rate, synth_attributes)
      ${numbers(count)} select printf('out_%08x', i), printf('ana_%08x', 1 + (i - 1) / ${perRun}), printf('%06d', i % ${perRun}), 0.25, ${rate(7)} / 2,
        0.75 - ${rate(7)} / 2, ${attributes} from numbers;`;
}

function numbers(most: number): string {
  return `with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < ${most})`;
}

function rate(step: number): string {
  return `((i * ${step}) % 1000) / 1000.0`;
}
