import type { EntityMetadata } from '@mikro-orm/postgresql';
import { escapeIdentifier, escapeLiteral } from 'pg';
import { factToText, encodeFact } from './fact-values.ts';
import type { InvalidBackfillError } from '../../errors.ts';
import { isUnique, type LoadColumn, type LoadTarget } from '../load/load-target.ts';
import { ConversionError } from '../load/conversion-error.ts';
import type { BackfillColumn, BackfillTarget, TrackingValue } from './backfill-config.ts';
import { FactProperties, type RequiredProperty } from './fact-properties.ts';
import { resolveAggregation } from './resolve-aggregation.ts';
import type { AggregatedColumn, ResolvedTarget, StagedValue, TrackedColumn } from './resolved-target.ts';
import type { StagedColumns } from './staged-columns.ts';

/** The input of a target's resolution. `columns`, `issues` and `required` collect its results. */
export interface ResolutionContext {
  readonly target: BackfillTarget;
  readonly meta: EntityMetadata;
  readonly table: LoadTarget;
  readonly path: string;
  readonly columns: StagedColumns;
  readonly issues: InvalidBackfillError['issues'][number][];
  readonly required: RequiredProperty[];
}

/** Resolves the columns that a target names. Leaves out what can't be resolved, and adds it to the issues. */
export function resolveTarget(context: ResolutionContext): ResolvedTarget {
  return new TargetResolver(context).resolve();
}

class TargetResolver {
  readonly #context: ResolutionContext;
  readonly #facts: FactProperties;
  readonly #written = new Set<string>();

  constructor(context: ResolutionContext) {
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
    else if (target.columns.length === 0)
      this.#issue('columns', 'mode "fill_null_only" needs at least one column');
    return {
      name: target.name,
      mode: target.mode,
      dependsOn: target.dependsOn,
      meta,
      table: [...(table.schema === null ? [] : [table.schema]), table.table].map(escapeIdentifier).join('.'),
      key,
      columns,
      tracking,
      generated: this.#generated(),
      version: table.version,
    };
  }

  #key(): StagedValue[] {
    const { target, table } = this.#context;
    const { source, key } = target;
    if (source.length !== key.length) {
      this.#issue(
        'source',
        `source has ${source.length} ${source.length === 1 ? 'property' : 'properties'}, and key has ${key.length}; they must pair up`,
      );
    }
    const found = key.flatMap((property, index) => {
      const column = this.#writable(property, `key.${index}`);
      const from = source[index];
      if (!column || from === undefined) return [];
      return {
        column,
        staged: this.#facts.keyColumn(from, column, { path: `source.${index}`, optional: false }),
      };
    });
    if (found.length === key.length && !isUnique(table, key)) {
      const uniques = table.uniques.map((unique) => `(${unique.join(', ')})`).join(', ');
      this.#issue('key', `(${key.join(', ')}) is not unique in ${table.entity}; unique: ${uniques}`);
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
      this.#issue(
        path,
        `{ "now": true } needs a column of type timestamptz, but ${this.#named(column)} is ${column.type}`,
      );
      return null;
    }
    try {
      if (column.type === 'jsonb') throw new ConversionError("can't be written into a jsonb column");
      encodeFact(column.type, given);
      return { column, value: `${escapeLiteral(factToText(given))}::${column.type}` };
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error;
      this.#issue(path, `the value ${error.message}`);
      return null;
    }
  }

  /** Returns the column of a property that no other part of the target writes; null, with an issue, when it does not exist. */
  #writable(property: string, path: string): LoadColumn | null {
    const { columns, entity, version } = this.#context.table;
    const column = columns.find((candidate) => candidate.property === property);
    if (!column) {
      const names = columns.map((known) => known.property).join(', ');
      this.#issue(path, `unknown property "${property}"; ${entity} has ${names}`);
      return null;
    }
    if (column === version) {
      this.#issue(path, `${this.#named(column)} is the row version, which can't be written`);
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
    this.#issue(path, `${this.#named(column)} is NOT NULL, so there is nothing to fill`);
  }

  #checkComplete(): void {
    const missing = this.#unwritten()
      .filter((column) => !column.nullable && !column.defaultValue && this.#defaultOf(column) === null)
      .map(({ property }) => property);
    if (missing.length === 0) return;
    this.#issue(
      'columns',
      `${this.#context.table.entity} requires ${missing.join(', ')}; add a column for each`,
    );
  }

  #generated(): StagedValue[] {
    if (this.#context.target.mode !== 'insert_missing') return [];
    return this.#unwritten().flatMap((column) => {
      const { defaultValue } = column;
      if (!defaultValue || this.#defaultOf(column) !== null) return [];
      const how = `generated for ${this.#context.path}.${column.property}`;
      return { column, staged: this.#context.columns.add(null, column.type, how, defaultValue) };
    });
  }

  #unwritten(): LoadColumn[] {
    return this.#context.table.columns.filter(({ property }) => !this.#written.has(property));
  }

  /** Returns the SQL of the table's default for a NOT NULL column; null when it has none. */
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
