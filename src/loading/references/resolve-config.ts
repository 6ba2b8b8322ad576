import type { EntityManager, EntityMetadata } from '@mikro-orm/postgresql';
import type { z } from 'zod';
import { InvalidBackfillError, InvalidLoadError } from '../../errors.ts';
import { loadTarget, type LoadTarget } from '../load/load-target.ts';
import { BackfillConfig, BackfillTarget } from './backfill-config.ts';
import type { RequiredProperty } from './fact-properties.ts';
import { resolveTarget } from './resolve-target.ts';
import type { ResolvedTarget } from './resolved-target.ts';
import { StagedColumns, type StagedColumn } from './staged-columns.ts';
import { findCycles, topologicalOrder } from './topological-order.ts';

type Issue = InvalidBackfillError['issues'][number];

/** A configuration whose names are resolved to entities, columns and targets. */
export interface ResolvedConfig {
  /** In the order in which they run. */
  readonly targets: readonly ResolvedTarget[];
  readonly savepoints: boolean;
  readonly columns: readonly StagedColumn[];
  readonly required: readonly RequiredProperty[];
}

/**
 * Parses a configuration and resolves its names.
 *
 * @throws InvalidBackfillError with every issue.
 */
export function resolveConfig(em: EntityManager, given: unknown): ResolvedConfig {
  const { data, error } = BackfillConfig.safeParse(given);
  const issues: Issue[] = error?.issues.map(asIssue) ?? [];
  const targets = data?.targets.map((target, index) => ({ target, index })) ?? readableTargets(given);
  const columns = new StagedColumns();
  const required: RequiredProperty[] = [];
  const resolved = targets.flatMap(({ target, index }) => {
    const path = `targets.${index}`;
    const found = entityOf(em, target, path, issues);
    return found ? resolveTarget({ target, ...found, path, issues, columns, required }) : [];
  });
  issues.push(...relationIssues(targets, namesOf(given)));
  if (!data || issues.length > 0) throw new InvalidBackfillError(issues);
  return { targets: topologicalOrder(resolved), savepoints: data.savepoints, columns: columns.all, required };
}

interface Numbered {
  readonly target: BackfillTarget;
  readonly index: number;
}

// An issue of one target must not hide issues of the others.
function readableTargets(given: unknown): Numbered[] {
  return rawTargets(given).flatMap((raw, index) => {
    const { data } = BackfillTarget.safeParse(raw);
    return data ? { target: data, index } : [];
  });
}

function namesOf(given: unknown): Set<unknown> {
  return new Set(
    rawTargets(given).map((raw) => {
      const name: unknown = typeof raw === 'object' && raw !== null && 'name' in raw ? raw.name : null;
      return typeof name === 'string' ? name.trim() : null;
    }),
  );
}

function rawTargets(given: unknown): unknown[] {
  if (typeof given !== 'object' || given === null || !('targets' in given)) return [];
  return Array.isArray(given.targets) ? given.targets : [];
}

function asIssue({ path, message }: z.core.$ZodIssue): Issue {
  return { path: path.map(String).join('.') || '(configuration)', message };
}

function entityOf(
  em: EntityManager,
  { entity }: BackfillTarget,
  path: string,
  issues: Issue[],
): { meta: EntityMetadata; table: LoadTarget } | null {
  const metadata = em.getMetadata();
  const meta = metadata.getByClassName(entity, false);
  if (!meta) {
    const known = [...metadata.getAll().values()].map(({ className }) => className).toSorted();
    issues.push({
      path: `${path}.entity`,
      message: `unknown entity "${entity}"; expected one of: ${known.join(', ')}`,
    });
    return null;
  }
  try {
    return { meta, table: loadTarget(em, meta) };
  } catch (error) {
    if (!(error instanceof InvalidLoadError)) throw error;
    issues.push({ path: `${path}.entity`, message: error.message });
    return null;
  }
}

/** Returns issues between targets: repeated names, unknown dependencies, cycles. */
function relationIssues(targets: readonly Numbered[], names: ReadonlySet<unknown>): Issue[] {
  const issues: Issue[] = [];
  const first = new Map<string, Numbered>();
  for (const one of targets) {
    const { name, dependsOn } = one.target;
    const other = first.get(name);
    if (other)
      issues.push({
        path: `targets.${one.index}.name`,
        message: `name "${name}" is used by targets.${other.index} already; names must be unique`,
      });
    else first.set(name, one);
    for (const [at, depended] of dependsOn.entries()) {
      if (names.has(depended)) continue;
      issues.push({
        path: `targets.${one.index}.dependsOn.${at}`,
        message: `unknown target "${depended}"`,
      });
    }
  }
  for (const cycle of findCycles([...first.values()].map(({ target }) => target))) {
    const [name = ''] = cycle;
    issues.push({
      path: `targets.${first.get(name)?.index}.dependsOn`,
      message: `circular dependency: ${cycle.join(' → ')}`,
    });
  }
  return issues;
}
