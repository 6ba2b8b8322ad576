import { z } from 'zod';

const name = z.string().trim().min(1);
const names = z.union([name.transform((one): readonly string[] => [one]), z.array(name).min(1).readonly()], {
  error: 'expected a name, or a list of names',
});

// What every column says: the property of the parent that it writes, and whether facts may lack its source altogether.
const column = { target: name, optional: z.boolean().default(false) };

/**
 * How the facts of one parent make one value. Only values that are there count: neither null nor, where the target says so, blank.
 *
 * - `first`: the first one. It is what a column without `aggregation` means.
 * - `max_by`: the one, or the lack of one, in the fact whose `order` is the highest: a number, else a time. Of equal ones, and of facts
 *   without an order, the first.
 * - `concat_distinct`: the different ones as one text, in the order of their characters or, with `sort: false`, of the facts.
 * - `template`: a text in which `{property}` stands for the first value of that property, or for nothing. `{{` and `}}` are braces.
 * - `count_distinct`: how many different ones there are.
 * - `collect_distinct`: the different ones as a JSON array, in the order of the facts. A parent that exists gets those that its array
 *   lacks, behind its own.
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

/** A value that is the same for every row that a backfill writes, or the time of its transaction. */
export const TrackingValue = z.union([z.string(), z.number(), z.strictObject({ now: z.literal(true) })], {
  error: 'expected a text, a number, or { "now": true }',
});
export type TrackingValue = z.infer<typeof TrackingValue>;

/** Parents of one kind that facts name. */
export const BackfillTarget = z.strictObject({
  /** What other targets and the result call it. */
  name,
  /** The properties of a fact that name the parent, one for each of `key`. A fact that lacks one of them names none. */
  source: names,
  entity: name,
  /** The properties of the entity, unique together, by which a parent is known. */
  key: names,
  /**
   * - `insert_missing`: inserts the parents that are not there, and leaves the others as they are but for `collect_distinct`.
   * - `fill_null_only`: writes into parents that are there, where they hold NULL, and inserts none.
   */
  mode: z.enum(['insert_missing', 'fill_null_only']).default('insert_missing'),
  /** Names of targets that come before it. */
  dependsOn: z.array(name).readonly().default([]),
  /** Whether empty text, and what spreadsheets write for it, counts as no value, in keys and columns. */
  skipBlankValues: z.boolean().default(false),
  columns: z.array(BackfillColumn).readonly().default([]),
  /** What to write, by the entity's properties, into rows that are inserted, or filled, where they hold NULL. */
  tracking: z.record(name, TrackingValue).default({}),
});
export type BackfillTarget = z.infer<typeof BackfillTarget>;

/** What a backfill does, as plain data. */
export const BackfillConfig = z.strictObject({
  targets: z.array(BackfillTarget).min(1).readonly(),
  /**
   * Whether a target that the database refuses is taken back by itself, behind a savepoint, and the others stay. Default false: all or
   * none.
   */
  savepoints: z.boolean().default(false),
});
/** As it is written, with all that has a default left out. */
export type BackfillConfig = z.input<typeof BackfillConfig>;
