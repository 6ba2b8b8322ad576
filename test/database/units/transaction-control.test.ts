import { TransactionPropagation } from '@mikro-orm/core';
import { ControlledTransaction, WithSchemaPlugin } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Tables } from '../../../src/entities/tables.ts';
import { StatementError, type UnitOfWork } from '../../../src/index.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { undetectedStatements } from './undetected-statements.ts';
import { storedExperiment } from './stored-experiment.ts';

let db: TestDatabase;
let id: string;
beforeAll(async () => {
  db = await TestDatabase.create();
});
afterAll(() => db.drop());
beforeEach(async () => {
  id = await db.transact(async ({ em }) => anExperiment(em).id);
});

const rename = (u: UnitOfWork, name: string): Promise<unknown> =>
  u.em.execute('update experiments set name = ? where id = ?', [name, id]);

/** Returns the transaction of Kysely's handle. */
function controlled(u: UnitOfWork): ControlledTransaction<Tables> {
  const kysely = u.em.getKysely<Tables>();
  if (!(kysely instanceof ControlledTransaction)) throw new Error('not in a transaction');
  return kysely;
}

describe('a command that ends the transaction is not sent:', () => {
  test.for<[name: string, end: (u: UnitOfWork) => Promise<unknown>]>([
    ...[
      'commit',
      ' COMMIT WORK',
      'end;',
      'rollback',
      'abort',
      'commit and chain',
      `prepare transaction 'p'`,
      '/* a comment */ commit',
      'select 1; commit',
      'select 1; commit; begin',
      'select 1; rollback and chain',
      `select E'\\''; commit; select ''`,
      `select $a$ $$ $a$; rollback; select 'it''s'`,
    ].map(
      (sql) => [sql, (u: UnitOfWork) => u.em.execute(sql)] as [string, (u: UnitOfWork) => Promise<unknown>],
    ),
    ['em.begin()', ({ em }) => em.begin()],
    ['em.commit()', ({ em }) => em.commit()],
    ['em.rollback()', ({ em }) => em.rollback()],
    ['commit() of Kysely', (u) => controlled(u).commit().execute()],
    ['rollback() of Kysely', (u) => controlled(u).rollback().execute()],
    [
      'a transaction of its own by `propagation`',
      ({ em }) => em.transactional(async () => {}, { propagation: TransactionPropagation.REQUIRES_NEW }),
    ],
  ])('%s', async ([, end]) => {
    await db.transact(async (u) => {
      await rename(u, 'Before');
      await expect(end(u)).rejects.toBeInstanceOf(StatementError);
      await rename(u, 'After');
    });

    expect(await storedExperiment(db, id)).toMatchObject({ name: 'After' });
  });
});

describe('a command that ends the transaction is not sent, with backslash escapes:', () => {
  test.for(['on', 'off'])('standard_conforming_strings = %s', async (setting) => {
    const hidden = setting === 'on' ? `'\\'; commit; select ''` : `'\\''; commit; select ''`;
    await db.transact(async (u) => {
      await u.em.execute(`set local standard_conforming_strings = ${setting}`);
      await expect(u.em.execute(`select ${hidden}`)).rejects.toBeInstanceOf(StatementError);
      await rename(u, 'After');
    });

    expect(await storedExperiment(db, id)).toMatchObject({ name: 'After' });
  });
});

describe('a unit of work whose transaction was ended rejects, and sends nothing more:', () => {
  test.for<[sql: string, name: string]>([
    ['select 1; commit', 'Before'],
    ['/* a comment */ commit', 'Before'],
    ['select 1; commit; begin', 'Before'],
    ['select 1; commit and chain', 'Before'],
    ['select 1; end; start transaction; savepoint a; rollback to a', 'Before'],
    ['select 1; rollback', 'Checkout in one step'],
    ['select 1; rollback and chain', 'Checkout in one step'],
    ['select 1; rollback; begin', 'Checkout in one step'],
    ['select 1; commit; begin; select 1 / 0', 'Before'],
  ])('%s', async ([sql, name]) => {
    const refused: unknown[] = [];
    const work = db.transact(async (u) => {
      await rename(u, 'Before');
      await u.em.execute(undetectedStatements(u, sql)).catch((error: unknown) => refused.push(error));
      await rename(u, 'After').catch((error: unknown) => refused.push(error));
    });

    await expect(work).rejects.toBeInstanceOf(StatementError);
    await expect(work).rejects.toThrow(/ended the transaction of this unit of work by (?:COMMIT|ROLLBACK)/);
    expect(refused).toEqual([expect.any(StatementError), expect.any(StatementError)]);
    expect(await storedExperiment(db, id)).toMatchObject({ name });
    // The next transaction on the connection is not considered ended.
    await db.transact((u) => rename(u, 'Next'));
  });
});

describe('a unit of work continues after', () => {
  test.for([
    'savepoint a; rollback to savepoint a; release a',
    'savepoint a; rollback work to a',
    'savepoint a; select 1; rollback to a; select 2',
    'begin',
    'do $$ begin perform 1; exception when others then null; end $$',
    `select E'it\\'s; commit now'`,
    `savepoint a; rollback to a; select 'and chain'`,
  ])('%s', async (sql) => {
    await db.transact(async (u) => {
      await u.em.execute(sql);
      await rename(u, 'After');
    });

    expect(await storedExperiment(db, id)).toMatchObject({ name: 'After' });
  });

  test('savepoints of Kysely, and handles derived from its handle', async () => {
    await db.transact(async (u) => {
      const kysely = controlled(u);
      const saved = await kysely.savepoint('a "b"').execute();
      await saved.updateTable('experiments').set({ name: 'Rolled back' }).where('id', '=', id).execute();
      await saved.rollbackToSavepoint('a "b"').execute();
      await saved.releaseSavepoint('a "b"').execute();
      for (const handle of [kysely.withSchema('public'), kysely.withPlugin(new WithSchemaPlugin('public'))])
        expect(await handle.selectFrom('experiments').select('name').where('id', '=', id).execute()).toEqual([
          { name: 'Checkout in one step' },
        ]);
      expect(kysely.isTransaction).toBe(true);
    });
  });
});

test('refuses em.getConnection, which is outside the unit of work', async () => {
  await db.transact(async (u) => {
    expect(() => u.em.getConnection()).toThrow(StatementError);
    expect(() => u.em.getConnection()).toThrow('outside the unit of work');
  });
});
