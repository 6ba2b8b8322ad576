/* oxlint-disable vitest/no-standalone-expect -- called by tests alone */
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import {
  ChangeSetPersister,
  EntityHelper,
  SqlSchemaGenerator,
  UnitOfWork,
  wrap,
  type EntityManager,
} from '@mikro-orm/postgresql';
import { DummyDriver, Kysely, PostgresAdapter, PostgresQueryCompiler, type Driver } from 'kysely';
import { Client, Connection } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { expect } from 'vitest';
import { Experiment } from '../../../src/entities.ts';
import { createOfflineOrm } from '../../../src/postgres/orm/offline-orm.ts';
import { closedTransaction } from '../../../src/postgres/patches/orm/closed-transaction.ts';
import { gatedTransaction } from '../../../src/postgres/patches/orm/gated-transaction.ts';
import { trackAssignments } from '../../../src/postgres/patches/orm/tracked-assignments.ts';
import { translateDriverErrors } from '../../../src/postgres/patches/orm/translate-driver-errors.ts';
import { TestDatabase } from '../../../src/testing/index.ts';

/**
 * The internals that a file of src/postgres/patches depends on. When its test fails after an upgrade, the internal has changed: adapt the
 * patch, or delete it if the library does the same. Then set the version.
 */
interface Canary {
  readonly library: string;
  readonly version: string;
  readonly internal: string;
  /** What to delete, and when. */
  readonly remove: string;
  /** Fails when the internal has changed, or the patch is no longer needed. */
  readonly holds: () => unknown;
}

const pg = { library: 'pg', version: '8.23.0' };
const mikroOrm = { library: '@mikro-orm/core', version: '7.2.1' };
const kysely = { library: 'kysely', version: '0.29.6' };

/** The canaries, by the name of the patch's file. */
export const canaries: Readonly<Record<string, Canary>> = {
  'cancel-request': {
    ...pg,
    internal: 'Connection: connect, requestSsl, cancel',
    remove: 'the file, when the client can send an encrypted cancel request',
    holds: () => expectMethods(Connection.prototype, 'connect', 'requestSsl', 'cancel'),
  },
  'optional-tls': {
    ...pg,
    internal: 'Connection: stream, _connecting, _ending, attachListeners, upgradeToSSL; Client: connection',
    remove: 'the file, when the driver supports sslmode=prefer',
    holds: () => {
      expectMethods(Connection.prototype, 'attachListeners', 'upgradeToSSL');
      const connection = new Connection();
      expect(connection).toHaveProperty('_ending', false);
      expect(sourceOf(connection, 'connect')).toContain('this._connecting = true');
      expect(new Client()).toHaveProperty('connection');
    },
  },
  'sasl-prep': {
    ...pg,
    internal: 'Connection: sendSCRAMClientFinalMessage; Client: saslSession',
    remove: 'the file, when SASLprep of the driver keeps what PostgreSQL keeps',
    holds: () => {
      expectMethods(Connection.prototype, 'sendSCRAMClientFinalMessage');
      expect(sourceOf(Client.prototype, '_handleAuthSASLContinue')).toContain('this.saslSession');
    },
  },
  'cursor-end': {
    library: 'pg-cursor',
    version: '2.22.0',
    internal: 'Cursor: _portal; close, which waits for an answer that a lost connection does not give',
    remove: 'the file, when closing a cursor settles with its connection',
    holds: () => {
      const cursor: { prototype: object } = createRequire(import.meta.resolve('@mikro-orm/postgresql'))(
        'pg-cursor',
      );
      expect(sourceOf(cursor.prototype, 'close')).toContain(`once('readyForQuery'`);
    },
  },
  'unreadable-answers': {
    ...pg,
    internal: 'Connection: attachListeners, which throws in the listener for data',
    remove: 'the file, when the driver emits an error for a message that it can not read',
    holds: () => {
      const socket = new EventEmitter();
      const connection = new Connection();
      // oxlint-disable-next-line typescript/unbound-method -- it is called on the connection
      Reflect.apply(methodOf(connection, 'attachListeners'), connection, [socket]);
      const unknownLogin = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 99]);
      expect(() => socket.emit('data', unknownLogin)).toThrow('Unknown authenticationOk message type');
    },
  },
  'streaming-state': {
    library: 'pg-copy-streams',
    version: '7.0.0',
    internal: 'CopyStreamQuery: connection; the state of a cursor of pg-cursor',
    remove: 'a function of it, when the type of a COPY or of a cursor says how far it has come',
    holds: () => {
      const copy = copyFrom('copy a from stdin');
      expect(sourceOf(copy, 'submit')).toContain('this.connection = connection');
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the package has no types
      const Cursor = createRequire(import.meta.url)('pg-cursor') as new (text: string) => object;
      expect(new Cursor('select 1')).toHaveProperty('state', 'initialized');
    },
  },
  'gated-transaction': {
    ...kysely,
    internal:
      'ControlledTransaction: its constructor, and how it uses its driver and executor; its index, of MikroORM',
    remove: 'the file, when a transaction can be made with another connection provider',
    holds: async () => {
      const sent: string[] = [];
      const driver = new DummyDriver();
      const executeQuery = async ({ sql }: { sql: string }) => void sent.push(sql);
      const gate = {
        provideConnection: async <T>(consumer: (connection: never) => Promise<T>): Promise<T> => {
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of it is used
          return consumer({ executeQuery } as never);
        },
      };
      const begun = databaseOn(driver);
      const transaction = gatedTransaction(gate, begun, (call) => new Error(`${call} refused`));

      const behind = await transaction.savepoint('a').execute();
      await behind.rollbackToSavepoint('a').execute();
      await behind.releaseSavepoint('a').execute();

      expect(sent).toEqual(['savepoint "a"', 'rollback to "a"', 'release "a"']);
      await expect(transaction.commit().execute()).rejects.toThrow('`commit()` refused');
      await expect(transaction.rollback().execute()).rejects.toThrow('`rollback()` refused');
    },
  },
  'closed-transaction': {
    ...kysely,
    internal: 'Transaction: its constructor, and that it sends by its executor only',
    remove: 'the file, when a transaction can be made that refuses every statement',
    holds: async () => {
      const transaction = closedTransaction(() => {
        throw new Error('refused');
      });
      const query = databaseOn(new DummyDriver()).selectNoFrom((eb) => eb.lit(1).as('one'));
      await expect((async () => transaction.executeQuery(query.compile()))()).rejects.toThrow('refused');
    },
  },
  'translate-driver-errors': {
    ...kysely,
    internal: 'Driver: acquireConnection; its connections: executeQuery, streamQuery',
    remove: 'the file, when a plugin or dialect can translate errors',
    holds: async () => {
      const failing: Driver = new DummyDriver();
      failing.acquireConnection = async () => ({ executeQuery: refuse, streamQuery: refuse });
      const database = databaseOn(translateDriverErrors(failing, () => new Error('translated')));
      const query = database.selectNoFrom((eb) => eb.lit(1).as('one'));
      await expect(query.execute()).rejects.toThrow('translated');
      await expect(query.stream().next()).rejects.toThrow('translated');
    },
  },
  'trigger-schema-generator': {
    ...mikroOrm,
    internal: 'SqlSchemaGenerator: getDropSchemaSQL leaves the functions of triggers',
    remove: 'the file, when the ORM drops the functions of its triggers',
    holds: async () => {
      const db = await TestDatabase.create();
      try {
        const drops = await new SqlSchemaGenerator(db.orm.em).getDropSchemaSQL();
        expect(drops).toMatch(/drop table/i);
        expect(drops).not.toMatch(/drop function/i);
      } finally {
        await db.drop();
      }
    },
  },
  'quoted-documents': {
    ...mikroOrm,
    internal: 'Platform: quoteValue writes NaN in a document as null',
    remove: 'the file, when the ORM refuses what JSON can not represent',
    holds: () => {
      const platform = createOfflineOrm().em.getPlatform();
      const prototype: object = Object.getPrototypeOf(platform);
      // oxlint-disable-next-line typescript/unbound-method -- it is called on the platform
      const quoted: unknown = Reflect.apply(methodOf(prototype, 'quoteValue'), platform, [{ a: NaN }]);
      expect(quoted).toBe(`'{"a":null}'`);
    },
  },
  'change-keeping-factory': {
    ...mikroOrm,
    internal:
      'EntityManager: getEntityFactory; EntityFactory: create overwrites unflushed changes of a row that is read again',
    remove: 'the file, when reading a row again keeps its unflushed changes',
    holds: () => {
      const em = createOfflineOrm().em.fork();
      const loaded = em.map(Experiment, row);
      loaded.name = 'changed';
      em.getEntityFactory().create(
        Experiment,
        { id: row.id, name: 'stored' },
        { merge: true, refresh: true },
      );
      expect(loaded.name).toBe('stored');
    },
  },
  'changed-entities': {
    ...mikroOrm,
    internal: 'UnitOfWork: computeChangeSets iterates over the identity map, and so over every loaded entity',
    remove: 'the file, when the ORM skips unchanged entities by itself',
    holds: () => {
      const uow = managerWithARow().getUnitOfWork(false);
      const loaded = uow.getIdentityMap();
      let iterations = 0;
      Object.defineProperty(loaded, Symbol.iterator, {
        value: () => {
          iterations++;
          return [].values();
        },
      });
      uow.computeChangeSets();
      expect(iterations).toBeGreaterThan(0);
    },
  },
  'batch-flush': {
    ...mikroOrm,
    internal:
      'UnitOfWork: after an update, the snapshot of a row has the values of the comparable properties',
    remove: 'the file, when the ORM flushes changes of 200 of 500 rows in twice the time of the driver',
    holds: () => {
      expect(sourceOf(UnitOfWork.prototype, 'commitUpdateChangeSets')).toContain(
        'wrapped.__originalEntityData = this.#comparator.prepareEntity(changeSet.entity)',
      );
    },
  },
  'insert-flush': {
    ...mikroOrm,
    internal: 'UnitOfWork: after an insert, the snapshot of a row is the payload of its change set',
    remove: 'the file, when the ORM flushes a single new row without looking for others',
    holds: () => {
      expectMethods(ChangeSetPersister.prototype, 'executeInserts');
      expect(sourceOf(UnitOfWork.prototype, 'commitCreateChangeSets')).toMatch(
        /changeSet\.payload;\s*this\.register\(changeSet\.entity, data, \{ refresh: true \}\);/,
      );
    },
  },
  'planned-flush': {
    ...mikroOrm,
    internal:
      'UnitOfWork: a flush is commit(), which calls the listeners of beforeFlush, onFlush and afterFlush; ' +
      'WrappedEntity: __processing, __originalEntityData',
    remove: 'the file, with batch-flush and insert-flush',
    holds: () => {
      expectMethods(UnitOfWork.prototype, 'commit', 'getChangeSets', 'clearActionsQueue');
      expect(sourceOf(UnitOfWork.prototype, 'doCommit')).toMatch(/beforeFlush.*onFlush.*afterFlush/s);
      expect(sourceOf(UnitOfWork.prototype, 'postCommitCleanup')).toContain('this.#persistStack.clear()');
    },
  },
  'compiled-hydrator': {
    ...mikroOrm,
    internal:
      'WrappedEntity: __em, __managed, __schema, __loadedProperties, __originalEntityData; an entity without __gettersDefined gets accessors',
    remove:
      'the file, when the ORM makes the entities of 500 rows in little more than the time of reading them',
    holds: () => {
      const [entity = {}] = managerWithARow().getUnitOfWork(false).getIdentityMap();
      const state = wrap(entity, true);
      for (const name of ['__em', '__managed', '__schema', '__loadedProperties', '__originalEntityData'])
        expect(state).toHaveProperty(name);
      expect(methodOf(EntityHelper, 'ensurePropagation').toString()).toContain(
        'if (entity.__gettersDefined) {',
      );
    },
  },
  'mid-flush-changes': {
    ...mikroOrm,
    internal:
      'an entity keeps its snapshot in __originalEntityData; the comparator makes and compares snapshots',
    remove: 'the file, when the ORM keeps changes that are made during a flush',
    holds: () => {
      const em = managerWithARow();
      const [entity] = em.getUnitOfWork(false).getIdentityMap();
      const { __originalEntityData: snapshot } = wrap(entity ?? {}, true);
      const prepared = em.getComparator().prepareEntity(entity ?? {});
      expect(em.getComparator().diffEntities(Experiment, snapshot ?? {}, prepared)).toEqual({});
    },
  },
  'mid-flush-staging': {
    ...mikroOrm,
    internal:
      'UnitOfWork: what is staged during a flush is gone after it; getPersistStack returns the set itself',
    remove: 'the file, when the ORM keeps what is staged during a flush',
    holds: async () => {
      const em = createOfflineOrm().em.fork();
      const staged = em.getUnitOfWork(false).getPersistStack();
      const late = em.create(Experiment, { name: 'late', hypothesis: 'late' }, { persist: false });
      let wasStaged = false;
      em.getEventManager().registerSubscriber({
        onFlush() {
          em.persist(late);
          wasStaged = staged.has(late);
        },
      });
      await em.flush();
      expect(wasStaged).toBe(true);
      expect(staged.has(late)).toBe(false);
    },
  },
  'identity-map-snapshot': {
    ...mikroOrm,
    internal: 'an entity with accessors keeps its values in __data, and its state in __em and __initialized',
    remove: 'the file, when the ORM restores entities after the rollback to a savepoint',
    holds: () => {
      const [entity = {}] = managerWithARow().getUnitOfWork(false).getIdentityMap();
      trackAssignments(entity);
      const wrapped = wrap(entity, true);
      const { __data: data } = wrapped;
      Object.assign(wrapped, { __data: { ...data, name: 'replaced' } });
      expect(entity).toMatchObject({ name: 'replaced' });
      expect(wrapped).toMatchObject({ __initialized: true });
    },
  },
  'tracked-assignments': {
    ...mikroOrm,
    internal:
      'with propagationOnPrototype, accessors keep the values of an entity in __data; without it, it has plain properties',
    remove: 'the file, when the ORM restores entities after the rollback to a savepoint',
    holds: () => {
      const [entity = {}] = managerWithARow().getUnitOfWork(false).getIdentityMap();
      expect(Object.getOwnPropertyDescriptor(entity, 'name')).toMatchObject({ value: 'stored' });
      expect(EntityHelper.toString()).toContain("em.config.get('propagationOnPrototype')");
      expect(methodOf(EntityHelper, 'defineProperties').toString()).toContain('__data[prop.name] = val');
    },
  },
};

const row = { id: 'exp_1', name: 'stored', hypothesis: 'stored', row_version: 1 };

function expectMethods(prototype: object, ...names: string[]): void {
  expect(names.filter((name) => typeof methodOf(prototype, name) !== 'function')).toEqual([]);
}

function refuse(): never {
  throw new Error('of the driver');
}

/** Returns the source of a method, for fields that it sets only when it runs. */
function sourceOf(object: object, name: string): string {
  return methodOf(object, name).toString();
}

function methodOf(object: object, name: string): (...given: unknown[]) => unknown {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the test fails where it is none
  return Reflect.get(object, name) as (...given: unknown[]) => unknown;
}

function databaseOn(driver: Driver): Kysely<unknown> {
  return new Kysely({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: () => {
        throw new Error('not used');
      },
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}

function managerWithARow(): EntityManager {
  const em = createOfflineOrm().em.fork();
  em.map(Experiment, row);
  return em;
}
