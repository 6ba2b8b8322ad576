// Compiled by `tsc`, never run: what rows hold follows from the entities' definitions.
import type { Scorecard, TranscriptMessages } from '../../src/entities.ts';
import type { Tables } from '../../src/entities/tables.ts';

type Same<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;
type Show<T> = { [K in keyof T]: T[K] };
const holds = <_ extends true>(): void => {};

holds<
  Same<
    Show<Tables['experiments']>,
    {
      id: string;
      name: string;
      hypothesis: string;
      description: string | null;
      scorecard_data: Scorecard | null;
      created_at: string;
      updated_at: string | null;
      status: 'active' | 'deleted';
      row_version: number;
    }
  >
>();
holds<
  Same<
    Show<Tables['transcripts']>,
    {
      id: string;
      exec_id: string;
      synth_id: string;
      synth_name: string;
      status: string;
      turn_count: number;
      timestamp: string;
      messages: TranscriptMessages | null;
      row_version: number;
    }
  >
>();
holds<
  Same<
    keyof Tables['synths'],
    | 'id'
    | 'synth_group_id'
    | 'nome'
    | 'descricao'
    | 'link_photo'
    | 'avatar_path'
    | 'created_at'
    | 'version'
    | 'data'
    | 'row_version'
  >
>();
holds<
  Same<
    keyof Tables['interview_guide'],
    | 'experiment_id'
    | 'context_definition'
    | 'questions'
    | 'context_examples'
    | 'created_at'
    | 'updated_at'
    | 'row_version'
  >
>();
holds<Same<Tables['interview_guide']['experiment_id'], string>>();
holds<Same<Tables['scenario_nodes']['parent_id'], string | null>>();
holds<Same<Tables['scenario_nodes']['execution_time_seconds'], number | null>>();
holds<Same<Tables['analysis_cache']['analysis_id'], string>>();
holds<Same<Tables['research_executions']['exec_id'], string>>();
holds<Same<Tables['synth_outcomes']['success_rate'], number>>();
