import { escapeIdentifier, escapeLiteral } from 'pg';
import type { AggregatedColumn, ResolvedTarget } from './resolved-target.ts';

/** The temporary table that the facts are copied into. `n` is a fact's number. */
export const factsTable = 'synth_lab_data_facts';
/** The temporary table of the parents that facts name: one row for each parent, with the columns of its table. */
export const candidatesTable = 'synth_lab_data_candidates';

const facts = `pg_temp.${factsTable}`;

/**
 * Returns the statement that creates the table of candidates: for each key, the aggregated value of each column. Values that may be many
 * are sorted rather than collected, so that PostgreSQL's memory is bounded by the size of one result.
 */
export function buildCandidateStatement(target: ResolvedTarget): string {
  const keys = target.key.map(({ staged }) => staged.name);
  const named = keys.map((key) => `${key} is not null`).join(' and ');
  const parts = [
    ...target.columns.map((column, index) => partOf(column, `v${index + 1}`, keys, named)),
    ...target.generated.map(({ column, staged }, index) => ({
      column,
      ...firstOf(staged.name, `m${index + 1}`, 'true'),
    })),
  ];
  const grouped = [...keys, ...parts.flatMap((part) => part.grouped)].join(', ');
  const values = [
    ...target.key.map(({ column, staged }) => `parents.${staged.name} as ${escapeIdentifier(column.name)}`),
    ...parts.map(({ column, value }) => `${value} as ${escapeIdentifier(column.name)}`),
  ];
  return (
    `create temporary table ${candidatesTable} on commit drop as ` +
    `select ${values.join(', ')} from (select ${grouped} from ${facts} where ${named} group by ${keys.join(', ')}) parents` +
    parts.map(({ joined }) => joined).join('')
  );
}

/** What a column adds to the statement: values of each group, tables to join, and the expression of its value. */
interface Part {
  readonly grouped: readonly string[];
  readonly joined: string;
  readonly value: string;
}

function partOf(
  column: AggregatedColumn,
  name: string,
  keys: readonly string[],
  named: string,
): Part & { column: AggregatedColumn['column'] } {
  const part = aggregated(column, name, keys, named);
  const value = column.fallback === null ? part.value : `coalesce(${part.value}, ${column.fallback})`;
  return { ...part, value, column: column.column };
}

function aggregated(column: AggregatedColumn, name: string, keys: readonly string[], named: string): Part {
  switch (column.how) {
    case 'first':
      return firstOf(column.staged.name, name, `${column.staged.name} is not null`);
    case 'template':
      return template(column.parts, name);
    case 'count_distinct': {
      const value = `parents.${name}::${column.column.type}`;
      return { grouped: [`count(distinct ${column.staged.name}) as ${name}`], joined: '', value };
    }
    case 'max_by': {
      const [value, number, time] = [column.staged.name, `${column.number.name}::numeric`, column.time.name];
      // Among facts without an order, those with a value come first.
      const unordered = `(${number} is null and ${time} is null and ${value} is null)`;
      return joinedBy(
        keys,
        name,
        `select distinct on (${keys.join(', ')}) ${keys.join(', ')}, ${value} as value from ${facts} where ${named} ` +
          `order by ${keys.join(', ')}, ${number} desc nulls last, ${time} desc nulls last, ${unordered}, n`,
      );
    }
    case 'concat_distinct': {
      const { staged, separator, sort } = column;
      const order = sort ? 'value collate "C"' : 'first';
      const gathered = `string_agg(value, ${escapeLiteral(separator)} order by ${order})`;
      return joinedBy(keys, name, distinct(keys, staged.name, named, gathered));
    }
    case 'collect_distinct':
      break;
  }
  const gathered = 'jsonb_agg(value order by first)';
  const part = joinedBy(keys, name, distinct(keys, column.staged.name, named, gathered));
  return { ...part, value: `coalesce(${part.value}, '[]')` };
}

/** Selects the value of the first fact for which `condition` holds. */
function firstOf(value: string, name: string, condition: string): Part {
  return {
    grouped: [`min(n) filter (where ${condition}) as ${name}`],
    joined: ` left join ${facts} ${name} on ${name}.n = parents.${name}`,
    value: `${name}.${value}`,
  };
}

function template(parts: Extract<AggregatedColumn, { how: 'template' }>['parts'], name: string): Part {
  const firsts: Part[] = [];
  const pieces = parts.map((part, index) => {
    if ('text' in part) return escapeLiteral(part.text);
    const first = firstOf(part.staged.name, `${name}_${index}`, `${part.staged.name} is not null`);
    firsts.push(first);
    return first.value;
  });
  return {
    grouped: firsts.flatMap(({ grouped }) => grouped),
    joined: firsts.map(({ joined }) => joined).join(''),
    value: `concat(${pieces.join(', ')})`,
  };
}

/** Selects the distinct values of each key, aggregated by `gathered`. */
function distinct(keys: readonly string[], value: string, named: string, gathered: string): string {
  const by = keys.join(', ');
  return (
    `select ${by}, ${gathered} as value from (select ${by}, ${value} as value, min(n) as first from ${facts} ` +
    `where ${named} and ${value} is not null group by ${by}, ${value}) each_value group by ${by}`
  );
}

function joinedBy(keys: readonly string[], name: string, query: string): Part {
  const on = keys.map((key) => `${name}.${key} = parents.${key}`).join(' and ');
  return { grouped: [], joined: ` left join (${query}) ${name} on ${on}`, value: `${name}.value` };
}
