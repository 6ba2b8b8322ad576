import type { SynthData } from '../entities/synth.ts';
import { extended, readModel, type ShownBy, type SortKeyOf } from './read-model/read-model.ts';
import { holding } from './text-pattern.ts';

export const synthSummaries = readModel({
  from: 'synths',
  select: {
    id: 'id',
    /** Null when it belongs to no group. */
    synthGroupId: 'synth_group_id',
    name: 'nome',
    description: 'descricao',
    linkPhoto: 'link_photo',
    avatarPath: 'avatar_path',
    createdAt: 'created_at',
    version: 'version',
  },
  sorts: { createdAt: 'created_at', name: 'nome' },
  filters: (by) => ({
    group: 'synth_group_id',
    text: by.where((eb, pattern: string) =>
      eb.or([eb('nome', 'ilike', pattern), eb('descricao', 'ilike', pattern)]),
    ),
    part: by.where((eb, part: string) => eb('data', '@>', eb.cast<SynthData>(eb.val(part), 'jsonb'))),
  }),
});

export const synthDetails = extended(synthSummaries, { data: 'data' }, ({ data, ...summary }) => ({
  ...summary,
  demographics: data?.demografia ?? null,
  psychographics: data?.psicografia ?? null,
  disabilities: data?.deficiencias ?? null,
  observables: data?.observables ?? null,
  simulationAttributes: data?.simulation_attributes ?? null,
}));

export type SynthSortKey = SortKeyOf<typeof synthSummaries>;

/** A synth as lists show it. */
export type SynthSummary = ShownBy<typeof synthSummaries>;

/** A synth with all that is known of it, part by part; null where nothing is. */
export type SynthDetail = ShownBy<typeof synthDetails>;

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

/** Returns the request with its criteria as the filters of `synthSummaries`. */
export function narrowed<Request extends SynthCriteria>({ group, text, filters, ...request }: Request) {
  const part = JSON.stringify(filters ?? {});
  return {
    ...request,
    group,
    text: text === undefined || text === '' ? undefined : holding(text),
    // Every object holds the empty one, but a synth without data holds nothing.
    part: part === '{}' ? undefined : part,
  };
}
