/* oxlint-disable typescript/no-unsafe-type-assertion -- calls that the types forbid */
/* oxlint-disable vitest/expect-expect -- `expectDataError` does */
import { LockMode, TransactionPropagation } from '@mikro-orm/core';
import { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AnalysisRun, Experiment, ExperimentDocument } from '../../../../src/entities.ts';
import {
  ContentionError,
  InvalidPageError,
  InvalidValueError,
  NotFoundError,
  StatementError,
} from '../../../../src/index.ts';
import { DataErrorEntityManager } from '../../../../src/postgres/orm/data-errors/data-error-entity-manager.ts';
import { TestDatabase, anExperiment } from '../../../../src/testing/index.ts';
import { canary, rejectionOf, type Kind } from '../../../database/reported-error.ts';
import { caughtIn, expectDataError, shown, type Work } from './caught-errors.ts';

describe('an error of the ORM, caught inside a unit of work', () => {
  let db: TestDatabase;
  let existing: string;
  beforeAll(async () => {
    db = await TestDatabase.create();
    existing = (await db.transact(async ({ em }) => anExperiment(em, { name: canary }))).id;
  });
  afterAll(() => db.drop());

  const caught = (work: Work): Promise<unknown> => caughtIn(db, work);

  const refusedByOrm: Readonly<Record<string, readonly [Kind, Work]>> = {
    'em.findOneOrFail by a criterion': [
      NotFoundError,
      ({ em }) => em.findOneOrFail(Experiment, { hypothesis: `${canary}?` }),
    ],
    'em.findOneOrFail of exactly one': [
      NotFoundError,
      ({ em }) => em.findOneOrFail(Experiment, { hypothesis: `${canary}?` }, { strict: true }),
    ],
    'em.refreshOrFail': [
      NotFoundError,
      async ({ em }) => {
        const experiment = anExperiment(em, { name: canary });
        await em.flush();
        await em.execute('delete from experiments where id = ?', [experiment.id]);
        await em.refreshOrFail(experiment);
      },
    ],
    'a reference that points at nothing': [
      NotFoundError,
      async ({ em }) => {
        const run = em.create(AnalysisRun, { experiment: 'exp_0', config: {}, startedAt: new Date() });
        await run.experiment.loadOrFail();
      },
    ],
    'em.flush without a value': [
      InvalidValueError,
      async ({ em }) => {
        em.create(Experiment, { name: canary } as never);
        await em.flush();
      },
    ],
    'em.find by an unknown property': [
      StatementError,
      ({ em }) => em.find(Experiment, { nope: canary } as never),
    ],
    'em.find of an unknown relation': [
      InvalidValueError,
      ({ em }) => em.find(Experiment, {}, { populate: [canary as never] }),
    ],
    'em.findByCursor with a broken cursor': [
      InvalidPageError,
      ({ em }) => em.findByCursor(Experiment, { first: 1, after: canary, orderBy: { id: 'asc' } }),
    ],
    'em.lock of another version': [
      ContentionError,
      async ({ em }) => em.lock(await em.findOneOrFail(Experiment, existing), LockMode.OPTIMISTIC, 99),
    ],
    'em.transactional that needs no transaction': [
      StatementError,
      ({ em }) => em.transactional(async () => {}, { propagation: TransactionPropagation.NEVER }),
    ],
    'em.setSessionContext': [
      StatementError,
      async ({ em }) => em.setSessionContext({ variables: { 'app.user': canary } }),
    ],
  };
  test.each(Object.entries(refusedByOrm))('of %s', async (_, [kind, work]) => {
    const failure = await caught(work);

    expect(failure).toBeInstanceOf(kind);
    expect(failure).toMatchObject({ cause: expect.any(Error) });
    expect(shown(failure)).not.toContain(canary);
  });

  test('em.findOneOrFail throws with the key', async () => {
    const failure = await caught(({ em }) => em.findOneOrFail(ExperimentDocument, 'doc_0'));

    expect(failure).toMatchObject({ code: 'not_found', entity: 'ExperimentDocument', key: 'doc_0' });
  });

  test('em.setSessionContext throws with the remedy', async () => {
    const failure = await caught(async ({ em }) =>
      em.setSessionContext({ variables: { 'app.user': 'ann' } }),
    );

    expect(failure).toMatchObject({ message: expect.stringContaining('transact(work, { settings:') });
  });

  test('an error of work within em.transactional is thrown unchanged', async () => {
    const thrown = new Error(canary);

    expect(await caught(({ em }) => em.transactional(() => Promise.reject(thrown)))).toBe(thrown);
  });

  test('a read without a transaction throws the same', async () => {
    let failure: unknown;
    await db
      .read(async ({ synths }) => {
        failure = await rejectionOf(synths.count({ group: `${canary}\0` }));
      })
      .catch(() => {});

    expectDataError(failure, InvalidValueError);
  });

  test('all methods of the entity manager are covered', () => {
    const internal = new Set(
      `constructor getDriver getConnection getPlatform getPopulateWhere getFilterParams validateSessionContextStaging
      mergeSessionContext getSessionContext getTransactionSessionContext withSessionContext setLoggerContext getLoggerContext setFlushMode
      processWhere processUnionWhere applyDiscriminatorCondition createPopulateWhere getJoinedFilters autoJoinRefsForFilters applyFilters
      clear getUnitOfWork getEntityFactory getEntityLoader getHydrator getContext getEventManager isInTransaction getTransactionContext
      getAbortOptions setTransactionContext resetTransactionContext getMetadata getComparator checkLockRequirements validateIndexUsage
      validateWhereKeysForIndex lockAndPopulate buildFields preparePopulate forceSelectInForLimitedPopulate shouldRefresh prepareOptions
      begin commit rollback cacheKey tryCache storeCache schema getDataLoader id getKysely`.split(/\s+/),
    );
    const methods: string[] = [];
    for (let proto: object | null = EntityManager.prototype; proto && proto !== Object.prototype;) {
      methods.push(...Object.getOwnPropertyNames(proto));
      proto = Object.getPrototypeOf(proto) as object | null;
    }

    const forgotten = methods.filter(
      (name) => !internal.has(name) && !Object.hasOwn(DataErrorEntityManager.prototype, name),
    );

    expect(forgotten).toEqual([]);
  });
});
