import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repositories } from '../../src/repositories/index.ts';

// Every method of the layer that these repositories replace, by its class there.
const old: Record<string, string> = {
  ExperimentRepository: 'create get_by_id list_experiments update update_scorecard delete',
  AnalysisRepository:
    'create get_by_id get_by_experiment_id update_status delete delete_by_experiment_id get_latest_completed_analysis_id',
  AnalysisCacheRepository:
    'get get_all save save_many delete delete_all store_chart_insight get_chart_insight get_all_chart_insights store_executive_summary get_executive_summary',
  AnalysisOutcomeRepository: 'save_outcomes get_outcomes delete_outcomes',
  SynthOutcomeRepository:
    'create create_batch get_by_id list_by_analysis_id delete_by_analysis_id count_by_analysis_id get_by_synth_and_analysis get_analysis_statistics get_latest_outcome_for_synth',
  SynthGroupRepository: 'ensure_default_group create get_by_id get_detail list_groups delete',
  SynthRepository:
    'list_synths list_by_group_id get_by_id search get_avatar_path get_extreme_cases get_synths_for_simulation get_fields',
  ResearchRepository:
    'list_executions list_executions_by_experiment get_execution get_transcripts get_transcript create_execution update_execution_status create_transcript get_auto_interview_for_experiment check_summaries_exist_batch check_prfaqs_exist_batch check_additional_context_exist_batch get_additional_context_batch get_total_turns_batch',
  InterviewGuideRepository: 'create get_by_experiment_id exists update delete',
  ExplorationRepository:
    'create_exploration get_exploration_by_id update_exploration list_explorations_by_experiment create_node get_node_by_id update_node update_node_status update_node_simulation get_nodes_by_exploration get_frontier_nodes get_root_node get_winner_node get_path_to_node count_nodes_by_status get_best_node_by_success_rate get_children',
  ExperimentDocumentRepository:
    'get_by_id get_by_experiment list_by_experiment get_markdown save create_pending update_status delete check_documents_exist get_status',
  InsightRepository:
    'get get_all_for_simulation save save_executive_summary get_executive_summary delete_for_simulation delete_insight',
  SensitivityRepository: 'save_result get_by_simulation get_by_id delete_by_simulation',
  RegionRepository: 'save_region_analyses get_region_analyses delete_region_analyses',
  ScorecardRepository:
    'create_scorecard get_scorecard list_scorecards list_by_experiment_id update_scorecard delete_scorecard',
  SimulationRepository:
    'create_simulation_run update_simulation_run get_simulation_run list_simulation_runs list_by_experiment_id save_synth_outcomes get_synth_outcomes',
  storage: 'save_synth load_synths get_synth_by_id count_synths update_avatar_path',
};

describe('docs/from-the-python-layer.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/from-the-python-layer.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([^`]+)` \| (.*?) \| (.*?) \|$/gm)].map(
    ([, method = '', replacements = '', notes = '']) => ({ method, replacements, notes }),
  );

  test.each(Object.keys(old))('lists every method of %s once, in its order', (theirs) => {
    const listed = rows.filter(({ method }) => method.startsWith(`${theirs}.`));

    expect(listed.map(({ method }) => method)).toEqual(
      old[theirs]?.split(' ').map((method) => `${theirs}.${method}`),
    );
  });

  test('names a new method for each old one, or says what to do instead', () => {
    const silent = rows.filter(
      ({ replacements, notes }) =>
        !/^`\w+\.\w+`(, `\w+\.\w+`)*$/.test(replacements) && !(replacements === 'none' && notes !== ''),
    );

    expect(silent).toEqual([]);
  });

  test('names only methods that exist', () => {
    const named = rows.flatMap(({ replacements, notes }) => [
      ...`${replacements} ${notes}`.matchAll(/`(\w+)\.(\w+)`/g),
    ]);
    const classes = new Map<string, object>(
      Object.entries(repositories).map(([name, [, { prototype }]]) => [name, prototype]),
    );
    const missing = named.filter(([, repository = '', method = '']) => {
      const found = classes.get(repository);
      return found === undefined || typeof Reflect.get(found, method) !== 'function';
    });

    expect(named.length).toBeGreaterThan(rows.length);
    expect(missing.map(([name]) => name)).toEqual([]);
  });
});
