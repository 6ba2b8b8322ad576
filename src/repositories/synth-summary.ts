import type { SynthData } from '../entities/shapes.ts';
import { extended, readModel, type ShownBy, type SortKeyOf } from './read-model/read-model.ts';

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
    text: by.text('nome', 'descricao'),
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

/** A synth in lists. */
export type SynthSummary = ShownBy<typeof synthSummaries>;

/** A synth with all of its fields; a part of its data that is missing is null. */
export type SynthDetail = ShownBy<typeof synthDetails>;

/** A filter by group; null selects the synths without one. Absent: no filter. */
export interface GroupOption {
  readonly group?: string | null | undefined;
}

/** Filters of synths, combined with `and`. An absent one does not filter. */
export interface SynthCriteria extends GroupOption {
  /**
   * A text that the name or the description contains, ignoring case and Unicode's normal forms, under any locale of the database. Wildcards
   * are literal.
   */
  readonly text?: string | undefined;
  /** A part of the synth's data: `{ demografia: { localizacao: { estado: 'SP' } } }`. The items of a list match at any position. */
  readonly filters?: SynthFilters | undefined;
}

/** A part of a synth's data. */
export type SynthFilters = PartOf<SynthData>;

type PartOf<Document> = Document extends readonly unknown[]
  ? Document
  : Document extends object
    ? { readonly [Key in keyof Document]?: PartOf<Document[Key]> | undefined }
    : Document;

/** Returns the request with its criteria as filters of `synthSummaries`. */
export function toFilters<Request extends SynthCriteria>({ group, text, filters, ...request }: Request) {
  const part = JSON.stringify(filters ?? {});
  return {
    ...request,
    group,
    text: text === '' ? undefined : text,
    // The empty object is contained in every document, but not in NULL: it would exclude synths without data.
    part: part === '{}' ? undefined : part,
  };
}
