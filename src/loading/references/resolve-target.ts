import type { EntityMetadata } from '@mikro-orm/postgresql';
import { escapeIdentifier, escapeLiteral } from 'pg';
import { asText, valueFor } from './fact-values.ts';
import type { InvalidBackfillError } from '../../errors.ts';
import { isUnique, type LoadColumn, type LoadTarget } from '../load-target.ts';
import { UnfitValue } from '../unfit-value.ts';
import type { BackfillColumn, BackfillTarget, TrackingValue } from './config.ts';
import { FactProperties, type RequiredProperty } from './fact-properties.ts';
import { resolveAggregation } from './resolve-aggregation.ts';
import type { AggregatedColumn, ResolvedTarget, StagedValue, TrackedColumn } from './resolved-target.ts';
import type { StagedColumns } from './staged-facts.ts';

/** What a target is resolved with. What is found on the way is added to the last three. */
export interface TargetContext {
  readonly target: BackfillTarget;
  readonly meta: EntityMetadata;
  readonly table: LoadTarget;
  readonly path: string;
  readonly columns: StagedColumns;
  readonly issues: InvalidBackfillError['issues'][number][];
  readonly required: RequiredProperty[];
}

/** The target with the columns that it names. What can't be had is left out, and named among the issues. */
export function resolveTarget(context: TargetContext): ResolvedTarget {
  return new TargetResolver(context).resolve();
}

class TargetResolver {
  readonly #context: TargetContext;
  readonly #facts: FactProperties;
  readonly #written = new Set<string>();

  constructor(context: TargetContext) {
    this.#context = context;
    this.#facts = new FactProperties(context);
  }

  resolve(): ResolvedTarget {
    const { target, meta, table } = this.#context;
    const key = this.#key();
    const columns = target.columns.flatMap((column, index) => this.#column(column, `columns.${index}`) ?? []);
    const tracking = Object.entries(target.tracking).flatMap(
      ([property, value]) => this.#tracked(property, value) ?? [],
    );
    if (target.mode === 'insert_missing') this.#checkComplete();
    else if (target.columns.length === 0) this.#issue('columns', 'there is none to fill');
    return {
      name: target.name,
      mode: target.mode,
      dependsOn: target.dependsOn,
      meta,
      table: [...(table.schema === null ? [] : [table.schema]), table.table].map(escapeIdentifier).join('.'),
      key,
      columns,
      tracking,
      minted: this.#minted(),
      version: table.version,
    };
  }

  #key(): StagedValue[] {
    const { target, table } = this.#context;
    const { source, key } = target;
    if (source.length !== key.length) {
      this.#issue(
        'source',
        `it names ${source.length} of the facts' properties for ${key.length} of the key`,
      );
    }
    const found = key.flatMap((property, index) => {
      const column = this.#writable(property, `key.${index}`);
      const from = source[index];
      if (!column || from === undefined) return [];
      return {
        column,
        staged: this.#facts.valued(from, column, { path: `source.${index}`, optional: false }),
      };
    });
    if (found.length === key.length && !isUnique(table, key)) {
      const uniques = table.uniques.map((unique) => `(${unique.join(', ')})`).join(', ');
      this.#issue('key', `(${key.join(', ')}) is not unique in ${table.entity}; unique are ${uniques}`);
    }
    return found;
  }

  #column(given: BackfillColumn, path: string): AggregatedColumn | null {
    const column = this.#writable(given.target, `${path}.target`);
    if (!column) return null;
    this.#checkNullable(column, `${path}.target`);
    const aggregation = resolveAggregation(given, column, path, this.#facts);
    if ('issue' in aggregation) {
      this.#issue(aggregation.at, aggregation.issue);
      return null;
    }
    const fallback = this.#context.target.mode === 'insert_missing' ? this.#defaultOf(column) : null;
    return { column, fallback, ...aggregation };
  }

  #tracked(property: string, given: TrackingValue): TrackedColumn | null {
    const path = `tracking.${property}`;
    const column = this.#writable(property, path);
    if (!column) return null;
    this.#checkNullable(column, path);
    if (typeof given === 'object') {
      if (column.type === 'timestamptz') return { column, value: 'now()' };
      this.#issue(path, `${this.#named(column)} is no time`);
      return null;
    }
    try {
      if (column.type === 'jsonb') throw new UnfitValue('is no document');
      valueFor(column.type, given);
      return { column, value: `${escapeLiteral(asText(given))}::${column.type}` };
    } catch (error) {
      if (!(error instanceof UnfitValue)) throw error;
      this.#issue(path, `the value ${error.message}`);
      return null;
    }
  }

  /** The column of a property that nothing else of the target writes. */
  #writable(property: string, path: string): LoadColumn | null {
    const { columns, entity, version } = this.#context.table;
    const column = columns.find((one) => one.property === property);
    if (!column) {
      const names = columns.map((one) => one.property).join(', ');
      this.#issue(path, `"${property}" is no property of ${entity}; it has ${names}`);
      return null;
    }
    if (column === version) {
      this.#issue(path, `${this.#named(column)} counts changes, and is not for others to write`);
      return null;
    }
    if (this.#written.has(property)) {
      this.#issue(path, `${this.#named(column)} is written by another part of the target`);
      return null;
    }
    this.#written.add(property);
    return column;
  }

  #checkNullable(column: LoadColumn, path: string): void {
    if (this.#context.target.mode === 'insert_missing' || column.nullable) return;
    this.#issue(path, `${this.#named(column)} is never NULL, so that there is nothing to fill`);
  }

  #checkComplete(): void {
    const missing = this.#unwritten()
      .filter((column) => !column.nullable && !column.fill && this.#defaultOf(column) === null)
      .map(({ property }) => property);
    if (missing.length === 0) return;
    this.#issue('columns', `a row of ${this.#context.table.entity} needs ${missing.join(', ')}`);
  }

  #minted(): StagedValue[] {
    if (this.#context.target.mode !== 'insert_missing') return [];
    return this.#unwritten().flatMap((column) => {
      const { fill } = column;
      if (!fill || this.#defaultOf(column) !== null) return [];
      const how = `minted for ${this.#context.path}.${column.property}`;
      return { column, staged: this.#context.columns.add(null, column.type, how, fill) };
    });
  }

  #unwritten(): LoadColumn[] {
    return this.#context.table.columns.filter(({ property }) => !this.#written.has(property));
  }

  /** The SQL of the default that the table has for a column that can't be NULL. */
  #defaultOf({ property, nullable }: LoadColumn): string | null {
    if (nullable) return null;
    return this.#context.meta.props.find(({ name }) => name === property)?.defaultRaw ?? null;
  }

  #named({ property }: LoadColumn): string {
    return `${this.#context.table.entity}.${property}`;
  }

  #issue(path: string, message: string): void {
    this.#context.issues.push({ path: `${this.#context.path}.${path}`, message });
  }
}
