import type { EntityManager, EntityMetadata } from '@mikro-orm/postgresql';
import type { z } from 'zod';
import { InvalidBackfillError, InvalidLoadError } from '../../errors.ts';
import { loadTarget, type LoadTarget } from '../load-target.ts';
import { BackfillConfig, BackfillTarget } from './config.ts';
import type { RequiredProperty } from './fact-properties.ts';
import { resolveTarget } from './resolve-target.ts';
import type { ResolvedTarget } from './resolved-target.ts';
import { StagedColumns, type StagedColumn } from './staged-facts.ts';
import { cycles, inOrder } from './target-order.ts';

type Issue = InvalidBackfillError['issues'][number];

/** A configuration whose names were found to stand for something. */
export interface ResolvedConfig {
  /** In the order in which they are worked on. */
  readonly targets: readonly ResolvedTarget[];
  readonly savepoints: boolean;
  readonly columns: readonly StagedColumn[];
  readonly required: readonly RequiredProperty[];
}

/** @throws InvalidBackfillError with all that is wrong. */
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
  return { targets: inOrder(resolved), savepoints: data.savepoints, columns: columns.all, required };
}

interface Numbered {
  readonly target: BackfillTarget;
  readonly index: number;
}

// What is wrong with one target must not hide what is wrong with the others.
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
      message: `"${entity}" is no entity; there are ${known.join(', ')}`,
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

/** What is wrong between targets. */
function relationIssues(targets: readonly Numbered[], names: ReadonlySet<unknown>): Issue[] {
  const issues: Issue[] = [];
  const first = new Map<string, Numbered>();
  for (const one of targets) {
    const { name, dependsOn } = one.target;
    const other = first.get(name);
    if (other)
      issues.push({
        path: `targets.${one.index}.name`,
        message: `"${name}" is targets.${other.index} already`,
      });
    else first.set(name, one);
    for (const [at, depended] of dependsOn.entries()) {
      if (names.has(depended)) continue;
      issues.push({
        path: `targets.${one.index}.dependsOn.${at}`,
        message: `there is no target "${depended}"`,
      });
    }
  }
  for (const cycle of cycles([...first.values()].map(({ target }) => target))) {
    const [name = ''] = cycle;
    issues.push({
      path: `targets.${first.get(name)?.index}.dependsOn`,
      message: `it depends on itself: ${cycle.join(' → ')}`,
    });
  }
  return issues;
}
