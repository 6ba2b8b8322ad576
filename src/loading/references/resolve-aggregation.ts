import type { BinaryType } from '../../postgres/copy/binary-rows.ts';
import type { LoadColumn } from '../load/load-target.ts';
import type { BackfillColumn } from './backfill-config.ts';
import type { FactProperties } from './fact-properties.ts';
import type { Aggregation } from './resolved-target.ts';
import { parseTemplate } from './parse-template.ts';

/** An issue, with its path within the target. */
interface AggregationIssue {
  readonly at: string;
  readonly issue: string;
}

// The types of columns that an aggregation can write, where not any type.
const resultTypes: Partial<Record<NonNullable<BackfillColumn['aggregation']>, readonly BinaryType[]>> = {
  concat_distinct: ['text'],
  template: ['text'],
  count_distinct: ['integer', 'double precision'],
  collect_distinct: ['jsonb'],
};

/** Resolves how the value of a column is aggregated, with the staged columns that it reads. */
export function resolveAggregation(
  given: BackfillColumn,
  column: LoadColumn,
  path: string,
  facts: FactProperties,
): Aggregation | AggregationIssue {
  const fitting = given.aggregation && resultTypes[given.aggregation];
  if (fitting && !fitting.includes(column.type)) {
    return {
      at: `${path}.target`,
      issue: `${given.aggregation} returns ${fitting.join(' or ')}, but ${given.target} is ${column.type}`,
    };
  }
  const { optional } = given;
  if (given.aggregation === 'template') return template(given, path, facts);
  const at = { path: `${path}.source`, optional };
  switch (given.aggregation) {
    case undefined:
    case 'first':
      return { how: 'first', staged: facts.valueColumn(given.source, column, at) };
    case 'max_by':
      return {
        how: 'max_by',
        staged: facts.valueColumn(given.source, column, at),
        ...facts.orderColumns(given.order, { path: `${path}.order`, optional }),
      };
    case 'concat_distinct': {
      const { separator, sort } = given;
      return { how: 'concat_distinct', staged: facts.textColumn(given.source, at), separator, sort };
    }
    case 'count_distinct':
      return { how: 'count_distinct', staged: facts.textColumn(given.source, at) };
    case 'collect_distinct':
      break;
  }
  return { how: 'collect_distinct', staged: facts.elementColumn(given.source, column, at) };
}

function template(
  { template: text, optional }: Extract<BackfillColumn, { aggregation: 'template' }>,
  path: string,
  facts: FactProperties,
): Aggregation | AggregationIssue {
  const at = { path: `${path}.template`, optional };
  const parts = parseTemplate(text);
  if (parts) {
    return {
      how: 'template',
      parts: parts.map((part) => ('text' in part ? part : { staged: facts.textColumn(part.property, at) })),
    };
  }
  return {
    at: at.path,
    issue: 'a brace is unmatched, or "{}" names no property; write {{ or }} for a literal brace',
  };
}
