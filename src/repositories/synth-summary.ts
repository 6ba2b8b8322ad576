import type { Kysely } from '@mikro-orm/postgresql';
import type {
  Demographics,
  Disabilities,
  Observables,
  Psychographics,
  SimulationAttributes,
  SynthData,
} from '../entities/synth.ts';
import type { Tables } from '../entities/tables.ts';
import type { Position } from './cursor.ts';
import { exactInstant, instant, instantColumn } from './exact-columns.ts';
import { holding } from './text-pattern.ts';

/** A synth as lists show it. */
export interface SynthSummary {
  readonly id: string;
  /** Null when it belongs to no group. */
  readonly synthGroupId: string | null;
  readonly name: string;
  readonly description: string | null;
  readonly linkPhoto: string | null;
  readonly avatarPath: string | null;
  readonly createdAt: Date;
  readonly version: string;
}

/** A synth with all that is known of it, part by part; null where nothing is. */
export interface SynthDetail extends SynthSummary {
  readonly demographics: Demographics | null;
  readonly psychographics: Psychographics | null;
  readonly disabilities: Disabilities | null;
  readonly observables: Observables | null;
  readonly simulationAttributes: SimulationAttributes | null;
}

/** Which synths: those of a group, or with null those of none. All when absent. */
export interface GroupOption {
  readonly group?: string | null | undefined;
}

/** Which synths: what is absent does not narrow; together they narrow further. */
export interface SynthCriteria extends GroupOption {
  /** What the name or the description holds, whatever its case; its characters stand for themselves. */
  readonly text?: string | undefined;
  /** What the synth's data hold, as a part of them: `{ demografia: { localizacao: { estado: 'SP' } } }`. A list's items may stand anywhere in theirs. */
  readonly filters?: SynthFilters | undefined;
}

/** A part of a synth's data. */
export type SynthFilters = PartOf<SynthData>;

type PartOf<Document> = Document extends readonly unknown[]
  ? Document
  : Document extends object
    ? { readonly [Key in keyof Document]?: PartOf<Document[Key]> | undefined }
    : Document;

export const synthColumns = [
  'synths.id',
  'synths.synth_group_id',
  'synths.nome',
  'synths.descricao',
  'synths.link_photo',
  'synths.avatar_path',
  instantColumn('synths.created_at'),
  'synths.version',
] as const;

/** The synths that meet the criteria: in no order, not limited, no column chosen. */
export function synthsThat(db: Kysely<Tables>, { group, text, filters }: SynthCriteria) {
  let synths = db.selectFrom('synths');
  if (group === null) synths = synths.where('synth_group_id', 'is', null);
  else if (group !== undefined) synths = synths.where('synth_group_id', '=', group);
  if (text !== undefined && text !== '') {
    const pattern = holding(text);
    synths = synths.where((eb) => eb.or([eb('nome', 'ilike', pattern), eb('descricao', 'ilike', pattern)]));
  }
  const part = JSON.stringify(filters ?? {});
  // Every object holds the empty one, but a synth without data holds nothing.
  if (part !== '{}') {
    synths = synths.where((eb) => eb('data', '@>', eb.cast<SynthData>(eb.val(part), 'jsonb')));
  }
  return synths;
}

type Synths = ReturnType<typeof synthsThat>;

/** At most `limit` of the synths, newest first, from a position on. */
export function newest(synths: Synths, from: Position | null, limit: number): Synths {
  const rest = from
    ? synths.where((eb) => eb(eb.refTuple('created_at', 'id'), '<', eb.tuple(from.at, from.key)))
    : synths;
  return rest.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit);
}

export const summaries = (synths: Synths) => synths.select(synthColumns);
export const details = (synths: Synths) => summaries(synths).select('data');
export const total = (synths: Synths) => synths.select(({ fn }) => fn.countAll().as('total'));

export type SynthRow = Awaited<ReturnType<ReturnType<typeof summaries>['execute']>>[number];
type DetailRow = Awaited<ReturnType<ReturnType<typeof details>['execute']>>[number];

/** The name of the list of a group's synths, of those of none, or of all; it is in the list's cursors. */
export function listOf(group: string | null | undefined): string {
  return group === undefined ? 'synths' : `synths:${group ?? ''}`;
}

export function positionOf(row: SynthRow): Position {
  return { at: exactInstant(row.created_at_hex), key: row.id };
}

export function toSummary(row: SynthRow): SynthSummary {
  return {
    id: row.id,
    synthGroupId: row.synth_group_id,
    name: row.nome,
    description: row.descricao,
    linkPhoto: row.link_photo,
    avatarPath: row.avatar_path,
    createdAt: instant(row.created_at_hex),
    version: row.version,
  };
}

export function toDetail(row: DetailRow): SynthDetail {
  return {
    ...toSummary(row),
    demographics: row.data?.demografia ?? null,
    psychographics: row.data?.psicografia ?? null,
    disabilities: row.data?.deficiencias ?? null,
    observables: row.data?.observables ?? null,
    simulationAttributes: row.data?.simulation_attributes ?? null,
  };
}
