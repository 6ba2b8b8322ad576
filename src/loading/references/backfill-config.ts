import { z } from 'zod';

const name = z.string().trim().min(1);
const names = z.union(
  [name.transform((single): readonly string[] => [single]), z.array(name).min(1).readonly()],
  {
    error: 'expected a name or a list of names',
  },
);

// Members of every column: the parent's property that it writes, and whether all facts may lack its source.
const column = { target: name, optional: z.boolean().default(false) };

/**
 * How the values in the facts of one parent are aggregated into one. Null is ignored, and so is blank text with `skipBlankValues`.
 *
 * - `first` (default): the first value.
 * - `max_by`: the value, or null, in the fact with the highest `order`: a number, else a date or time. Of equal ones, and without any order,
 *   the first. An order that is neither is refused; dates and times have all a time zone, or none.
 * - `concat_distinct`: the distinct values as one text, sorted by code points or, with `sort: false`, in the order of the facts.
 * - `template`: a text in which `{property}` is replaced by the first value of that property, or by nothing. `{{` and `}}` are braces.
 * - `count_distinct`: the number of distinct values.
 * - `collect_distinct`: the distinct values as a JSON array, in the order of the facts. Values that the array of an existing parent lacks
 *   are appended to it.
 */
export const BackfillColumn = z.discriminatedUnion(
  'aggregation',
  [
    z.strictObject({ ...column, aggregation: z.literal('first').optional(), source: name }),
    z.strictObject({ ...column, aggregation: z.literal('max_by'), source: name, order: name }),
    z.strictObject({
      ...column,
      aggregation: z.literal('concat_distinct'),
      source: name,
      separator: z.string().default('+'),
      sort: z.boolean().default(true),
    }),
    z.strictObject({ ...column, aggregation: z.literal('template'), template: z.string().min(1) }),
    z.strictObject({ ...column, aggregation: z.literal('count_distinct'), source: name }),
    z.strictObject({ ...column, aggregation: z.literal('collect_distinct'), source: name }),
  ],
  {
    error:
      'expected an aggregation: first, max_by, concat_distinct, template, count_distinct or collect_distinct',
  },
);
export type BackfillColumn = z.infer<typeof BackfillColumn>;

/** A constant for every row that a backfill writes, or `{ now: true }` for the time of its transaction. */
export const TrackingValue = z.union([z.string(), z.number(), z.strictObject({ now: z.literal(true) })], {
  error: 'expected a string, a number or { "now": true }',
});
export type TrackingValue = z.infer<typeof TrackingValue>;

/** One kind of parent that facts reference. */
export const BackfillTarget = z.strictObject({
  /** The name by which `dependsOn` and the result refer to it. */
  name,
  /** The properties of a fact that hold the parent's key, one for each of `key`. A fact that lacks one of them has no parent. */
  source: names,
  entity: name,
  /** The properties of the entity that identify a parent; they must be unique together. */
  key: names,
  /**
   * - `insert_missing` (default): inserts parents that do not exist; changes others only by `collect_distinct`.
   * - `fill_null_only`: updates existing parents where they hold NULL, and inserts none.
   */
  mode: z.enum(['insert_missing', 'fill_null_only']).default('insert_missing'),
  /** The names of targets that run before it. */
  dependsOn: z.array(name).readonly().default([]),
  /** Whether blank text ("", "(空白)", "(blank)") counts as null, in keys and columns. Default: false. */
  skipBlankValues: z.boolean().default(false),
  columns: z.array(BackfillColumn).readonly().default([]),
  /** Values for inserted rows, and for updated rows where they hold NULL, keyed by the entity's properties. */
  tracking: z.record(name, TrackingValue).default({}),
});
export type BackfillTarget = z.infer<typeof BackfillTarget>;

/** The configuration of a backfill, as plain data. */
export const BackfillConfig = z.strictObject({
  targets: z.array(BackfillTarget).min(1).readonly(),
  /** Whether a target that PostgreSQL refuses is rolled back alone, to a savepoint. Default: false, all targets or none. */
  savepoints: z.boolean().default(false),
});
/** The configuration as it is written: members with a default may be left out. */
export type BackfillConfig = z.input<typeof BackfillConfig>;
