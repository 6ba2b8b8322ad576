import type { BinaryType } from '../../postgres/copy/binary-rows.ts';
import type { LoadColumn } from '../load-target.ts';
import type { BackfillColumn } from './config.ts';
import type { FactProperties } from './fact-properties.ts';
import type { Aggregation } from './resolved-target.ts';
import { parseTemplate } from './template.ts';

/** What is wrong, and where within the target. */
interface AggregationIssue {
  readonly at: string;
  readonly issue: string;
}

// What some aggregations make can't be stored just anywhere.
const makes: Partial<Record<NonNullable<BackfillColumn['aggregation']>, readonly BinaryType[]>> = {
  concat_distinct: ['text'],
  template: ['text'],
  count_distinct: ['integer', 'double precision'],
  collect_distinct: ['jsonb'],
};

/** How the value of a column is made, with the columns of the staged facts that it is made of. */
export function resolveAggregation(
  given: BackfillColumn,
  column: LoadColumn,
  path: string,
  facts: FactProperties,
): Aggregation | AggregationIssue {
  const fitting = given.aggregation && makes[given.aggregation];
  if (fitting && !fitting.includes(column.type)) {
    return {
      at: `${path}.target`,
      issue: `${given.aggregation} makes ${fitting.join(' or ')}, but ${given.target} is ${column.type}`,
    };
  }
  const { optional } = given;
  if (given.aggregation === 'template') return template(given, path, facts);
  const at = { path: `${path}.source`, optional };
  switch (given.aggregation) {
    case undefined:
    case 'first':
      return { how: 'first', staged: facts.valued(given.source, column, at) };
    case 'max_by':
      return {
        how: 'max_by',
        staged: facts.valued(given.source, column, at),
        ...facts.order(given.order, { path: `${path}.order`, optional }),
      };
    case 'concat_distinct': {
      const { separator, sort } = given;
      return { how: 'concat_distinct', staged: facts.text(given.source, at), separator, sort };
    }
    case 'count_distinct':
      return { how: 'count_distinct', staged: facts.text(given.source, at) };
    case 'collect_distinct':
      break;
  }
  return { how: 'collect_distinct', staged: facts.element(given.source, column, at) };
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
      parts: parts.map((part) => ('text' in part ? part : { staged: facts.text(part.property, at) })),
    };
  }
  return {
    at: at.path,
    issue: 'a brace has no partner, or nothing in between; write {{ or }} for one that is text',
  };
}
