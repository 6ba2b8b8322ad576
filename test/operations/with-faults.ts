/* oxlint-disable vitest/expect-expect -- `isUntouched` and the operation's `promises` do */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReadingUnitOfWork, UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { openDatabase, type Database } from '../../src/index.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import type { Fault } from '../../packages/migrator/test/kit/proxy/fault.ts';
import { WireProxy } from '../proxy/wire-proxy.ts';
import { digest } from './digest.ts';

/** An operation on several rows, as a service has it. */
export interface Operation<Given> {
  /** Stages what is there before, and gives what the others need to know of it. */
  given(uow: UnitOfWork): Given | Promise<Given>;
  /** The operation, in one `transact`. */
  run(database: Database, given: Given): Promise<unknown>;
  /** Checks what holds when it has gone through. */
  promises(uow: ReadingUnitOfWork, given: Given): Promise<void>;
  /** Whether it fills a table by COPY. */
  readonly copies?: boolean;
}

/**
 * Tests that an operation does what it promises, and that whatever breaks it leaves the database as it was. The faults come from
 * outside, one for each of its statements in turn, and after each the same pool serves the next unit of work: it has one
 * connection, so that one which was not given back would be missed at once.
 */
export function testWithFaults<Given>(name: string, operation: Operation<Given>): void {
  describe(`${name}, whatever breaks it`, () => {
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

    const given = (): Promise<Given> => db.transact(async (uow) => operation.given(uow));
    const promises = (rows: Given): Promise<void> => db.read((uow) => operation.promises(uow, rows));

    /** Runs it while a statement breaks, and gives that statement; undefined if it has gone through without it. */
    const broken = async (rows: Given, at: number | RegExp, fault: Fault): Promise<string | undefined> => {
      proxy.reset();
      proxy.failAt(at, fault);
      const failure: unknown = await operation.run(database, rows).then(
        () => undefined,
        (error: unknown) => error,
      );
      const [statement] = proxy.struck;
      if (statement === undefined && failure !== undefined) throw failure;
      if (statement !== undefined)
        expect(failure, `goes through, although this broke: ${statement}`).toBeDefined();
      return statement;
    };

    /** Whether the database is as it was before `statement` broke, and the pool serves the next. */
    const isUntouched = async (before: unknown, statement: string | undefined): Promise<void> => {
      expect(statement, 'nothing broke').toBeDefined();
      expect(await digest(db), `broken at: ${statement}`).toEqual(before);
      await database.transact(({ em }) => em.execute('select 1'));
    };

    test('does what it promises, in one transaction', async () => {
      const rows = await given();
      proxy.reset();

      await operation.run(database, rows);

      const ends = proxy.statements.filter((sql) =>
        /^(?:begin|start transaction|commit|rollback)$/.test(sql),
      );
      expect(ends).toEqual(['begin', 'commit']);
      expect([proxy.statements[0], proxy.statements.at(-1)]).toEqual(ends);
      await promises(rows);
    });

    test.each(['error', 'cut'] as const)('%s at any statement: everything stays as it was', async (fault) => {
      const rows = await given();
      const before = await digest(db);

      for (let at = 1; ; at++) {
        const statement = await broken(rows, at, fault);
        if (statement === undefined) break;
        await isUntouched(before, statement);
      }

      await promises(rows);
    });

    test('cut after any statement was carried out: everything stays as it was, until the commit', async () => {
      const rows = await given();
      const before = await digest(db);

      for (let at = 1; ; at++) {
        const statement = await broken(rows, at, 'cut after sending');
        if (statement === 'commit') break;
        await isUntouched(before, statement);
      }

      await database.transact(({ em }) => em.execute('select 1'));
      await promises(rows);
    });

    if (!operation.copies) return;

    test('cut in the middle of a copy: everything stays as it was', async () => {
      const rows = await given();
      const before = await digest(db);

      await isUntouched(before, await broken(rows, /^copy /, 'cut while copying'));
    });
  });
}
