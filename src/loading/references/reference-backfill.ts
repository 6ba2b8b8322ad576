import type { EntityManager } from '@mikro-orm/postgresql';
import type { UnitOfWork } from '../../database/units/unit-of-work.ts';
import { InvalidBackfillError, RefusedError } from '../../errors.ts';
import { ConnectionSession, PlanningSession, type LoadSession } from '../load/load-session.ts';
import { toTemporaryTableError } from '../load/to-temporary-table-error.ts';
import type { BackfilledTarget, BackfillPlan, BackfillResult } from './backfill-result.ts';
import { CandidateCounter } from './candidate-counter.ts';
import { candidatesTable, buildCandidateStatement, factsTable } from './build-candidate-statement.ts';
import { resolveConfig, type ResolvedConfig } from './resolve-config.ts';
import type { ResolvedTarget } from './resolved-target.ts';
import { FactReader } from './fact-reader.ts';
import { locateFact } from './locate-fact.ts';
import { buildWriteStatements } from './build-write-statements.ts';

/** Objects with the properties that the configuration names. A property that is left out or undefined is null. */
export type FactRows = Iterable<object> | AsyncIterable<object>;

/** One backfill. Sending and planning run the same statements. */
export class ReferenceBackfill {
  readonly #config: ResolvedConfig;

  /** @throws InvalidBackfillError with every issue of the configuration. */
  constructor(em: EntityManager, config: unknown) {
    this.#config = resolveConfig(em, config);
  }

  /** The entities that the backfill may write. */
  get entities(): ResolvedTarget['meta']['class'][] {
    return [...new Set(this.#config.targets.map(({ meta }) => meta.class))];
  }

  /** Returns the statements and the number of candidates without a connection (dry run). */
  async plan(facts: FactRows): Promise<BackfillPlan> {
    const session = new PlanningSession();
    const counter = new CandidateCounter(this.#config);
    const reader = new FactReader(this.#config.columns, (values) => counter.add(values));
    await this.#stage(session, reader, facts);
    for (const target of this.#config.targets) await runTarget(session, target);
    await session.run(dropFacts);
    const targets = this.#config.targets.map(({ name, meta }, index) => ({
      name,
      entity: meta.className,
      candidates: counter.counts[index] ?? 0,
    }));
    return { facts: reader.count, targets, statements: session.statements };
  }

  /** Runs the backfill in the transaction of `uow`. */
  async send(uow: UnitOfWork, facts: FactRows): Promise<BackfillResult> {
    const session = new ConnectionSession(uow.em);
    const reader = new FactReader(this.#config.columns);
    try {
      await this.#stage(session, reader, facts);
    } catch (error) {
      throw toTemporaryTableError(error, uow.em) ?? error;
    }
    const targets: BackfilledTarget[] = [];
    for (const target of this.#config.targets) targets.push(await this.#sendTarget(uow, target, targets));
    await session.run(dropFacts);
    return { facts: reader.count, targets };
  }

  async #stage(session: LoadSession, reader: FactReader, facts: FactRows): Promise<void> {
    const { columns, required } = this.#config;
    const typed = columns.map(({ name, type }) => `, ${name} ${type}`).join('');
    const names = ['n', ...columns.map(({ name }) => name)].join(', ');
    await session.run(`create temporary table ${factsTable} (n integer${typed}) on commit drop`);
    await session.copy(
      `copy pg_temp.${factsTable} (${names}) from stdin (format binary)`,
      reader,
      reader.encode(facts),
    );
    const missing = required.filter(({ property }) => reader.count > 0 && reader.unseen.has(property));
    if (missing.length > 0) {
      const issues = missing.map(({ property, path }) => ({
        path,
        message: `no fact has the property "${property}"; correct the name, or set "optional": true`,
      }));
      throw new InvalidBackfillError(issues);
    }
    // Autovacuum does not analyze temporary tables; without statistics the planner assumes a handful of facts.
    await session.run(`analyze pg_temp.${factsTable}`);
  }

  async #sendTarget(
    uow: UnitOfWork,
    target: ResolvedTarget,
    before: readonly BackfilledTarget[],
  ): Promise<BackfilledTarget> {
    if (before.some(({ name, outcome }) => outcome !== 'done' && target.dependsOn.includes(name))) {
      return { ...done(target, noCounts), outcome: 'skipped' };
    }
    try {
      return done(target, await uow.transact(({ em }) => runTarget(new ConnectionSession(em), target)));
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      // With savepoints, the result names the target.
      const named = this.#config.savepoints ? '' : `target "${target.name}": `;
      // The first error counts, not one of looking for the fact.
      const located = await uow
        .transact(({ em }) => locateFact(new ConnectionSession(em), target, error, { named }))
        .catch(() => error);
      if (!this.#config.savepoints) throw located;
      return { ...done(target, noCounts), outcome: 'failed', error: located };
    }
  }
}

const dropFacts = `drop table pg_temp.${factsTable}`;

type Counts = Pick<BackfilledTarget, 'candidates' | 'inserted' | 'updated'>;
const noCounts: Counts = { candidates: 0, inserted: 0, updated: 0 };

async function runTarget(session: LoadSession, target: ResolvedTarget): Promise<Counts> {
  let counts = noCounts;
  await session.run(buildCandidateStatement(target));
  for (const statement of buildWriteStatements(target))
    counts = { ...counts, ...(await session.run(statement)) };
  await session.run(`drop table pg_temp.${candidatesTable}`);
  return counts;
}

function done({ name, meta }: ResolvedTarget, counts: Counts): BackfilledTarget {
  return {
    name,
    entity: meta.className,
    outcome: 'done',
    error: null,
    ...counts,
    skipped: counts.candidates - counts.inserted - counts.updated,
  };
}
