/* oxlint-disable vitest/expect-expect -- `expectUnchanged` and the operation's `checkResult` do */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReadingUnitOfWork, UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { openDatabase, type Database } from '../../src/index.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import type { Fault } from '../../packages/migrator/test/kit/proxy/fault.ts';
import { WireProxy } from '../proxy/wire-proxy.ts';
import { digest } from './digest.ts';

/** An operation of a service on several rows. */
export interface Operation<Given> {
  /** Stages the rows before the operation, and returns their keys for the other methods. */
  prepare(uow: UnitOfWork): Given | Promise<Given>;
  /** The operation, in one `transact`. */
  run(database: Database, rows: Given): Promise<unknown>;
  /** Checks the rows after the operation. */
  checkResult(uow: ReadingUnitOfWork, rows: Given): Promise<void>;
  /** Whether it fills a table by COPY. */
  readonly copies?: boolean;
}

/**
 * Tests an operation, and that a fault at any of its statements leaves the database unchanged. A proxy injects the faults, one after another.
 * After each, the same pool of one connection must serve the next unit of work, so that a lost slot would fail the test.
 */
export function testWithFaults<Given>(name: string, operation: Operation<Given>): void {
  describe(`${name} under faults`, () => {
    let db: TestDatabase;
    let proxy: WireProxy;
    let database: Database;
    beforeAll(async () => {
      db = await TestDatabase.create();
      proxy = await WireProxy.start(db.target);
      database = await openDatabase({ url: proxy.url(), pool: { max: 1, acquireTimeout: 5_000 } });
    });
    afterAll(async () => {
      await database.close();
      await proxy.close();
      await db.drop();
    });

    const prepare = (): Promise<Given> => db.transact(async (uow) => operation.prepare(uow));
    const checkResult = (rows: Given): Promise<void> => db.read((uow) => operation.checkResult(uow, rows));

    /** Runs the operation with a fault, and returns the statement that failed; undefined if the fault did not occur. */
    const runWithFault = async (
      rows: Given,
      at: number | RegExp,
      fault: Fault,
    ): Promise<string | undefined> => {
      proxy.reset();
      proxy.failAt(at, fault);
      const failure: unknown = await operation.run(database, rows).then(
        () => undefined,
        (error: unknown) => error,
      );
      const [statement] = proxy.triggered;
      if (statement === undefined && failure !== undefined) throw failure;
      if (statement !== undefined)
        expect(failure, `succeeds, although this failed: ${statement}`).toBeDefined();
      return statement;
    };

    /** Checks that the database is unchanged after `statement` failed, and that the pool serves the next unit of work. */
    const expectUnchanged = async (before: unknown, statement: string | undefined): Promise<void> => {
      expect(statement, 'no statement failed').toBeDefined();
      expect(await digest(db), `failed at: ${statement}`).toEqual(before);
      await database.transact(({ em }) => em.execute('select 1'));
    };

    test('succeeds in one transaction', async () => {
      const rows = await prepare();
      proxy.reset();

      await operation.run(database, rows);

      const ends = proxy.statements.filter((sql) =>
        /^(?:begin|start transaction|commit|rollback)$/.test(sql),
      );
      expect(ends).toEqual(['begin', 'commit']);
      expect([proxy.statements[0], proxy.statements.at(-1)]).toEqual(ends);
      await checkResult(rows);
    });

    test.each(['error', 'cut'] as const)(
      '%s at any statement leaves the database unchanged',
      async (fault) => {
        const rows = await prepare();
        const before = await digest(db);

        for (let at = 1; ; at++) {
          const statement = await runWithFault(rows, at, fault);
          if (statement === undefined) break;
          await expectUnchanged(before, statement);
        }

        await checkResult(rows);
      },
    );

    test('cut after the execution of any statement before the commit leaves the database unchanged', async () => {
      const rows = await prepare();
      const before = await digest(db);

      for (let at = 1; ; at++) {
        const statement = await runWithFault(rows, at, 'cut after sending');
        if (statement === 'commit') break;
        await expectUnchanged(before, statement);
      }

      await database.transact(({ em }) => em.execute('select 1'));
      await checkResult(rows);
    });

    if (!operation.copies) return;

    test('cut during a COPY leaves the database unchanged', async () => {
      const rows = await prepare();
      const before = await digest(db);

      await expectUnchanged(before, await runWithFault(rows, /^copy /, 'cut while copying'));
    });
  });
}
