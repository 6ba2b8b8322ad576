import 'reflect-metadata';
import { RequestContext } from '@mikro-orm/core';
import { MikroOrmModule } from '@mikro-orm/nestjs';
import { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { Test } from '@nestjs/testing';
import {
  openDatabase,
  toDataError,
  withSynthLab,
  type ServiceConnection,
  type ServiceOptions,
} from '../../../src/index.ts';
import { Note } from './note.ts';

type Work<T> = (em: EntityManager) => Promise<T>;

/** A database as a service opens it, with the errors that the service gets. */
export interface Opened {
  /** The entity manager of the whole service. */
  readonly em: EntityManager;
  /** Runs `work` in a separate context, in a transaction. */
  transact<T>(work: Work<T>): Promise<T>;
  /** Runs `work` in a separate context, outside a transaction. */
  outside<T>(work: Work<T>): Promise<T>;
  close(): Promise<unknown>;
}

/** The ways in which a service opens a database. */
export const openings: readonly {
  readonly name: string;
  readonly open: (url: string, connection?: ServiceConnection) => Promise<Opened>;
}[] = [
  { name: 'openDatabase', open: openOurs },
  { name: 'MikroORM.init(withSynthLab())', open: openWithSynthLab },
  { name: 'MikroOrmModule.forRoot(withSynthLab())', open: openNest },
];

async function openOurs(url: string, connection?: ServiceConnection): Promise<Opened> {
  const database = await openDatabase({ url, ...connection });
  return {
    em: database.orm.em,
    transact: (work) => database.transact(({ em }) => work(em)),
    outside: (work) => translated(work(database.orm.em.fork())),
    close: () => database.close(),
  };
}

async function openWithSynthLab(url: string, connection?: ServiceConnection): Promise<Opened> {
  const orm = await MikroORM.init(withSynthLab(serviceOptions(url), connection));
  return {
    em: orm.em,
    transact: (work) => translated(orm.em.fork().transactional(work)),
    outside: (work) => translated(work(orm.em.fork())),
    close: () => orm.close(),
  };
}

/** As the middleware of `@mikro-orm/nestjs` does it: all code holds one entity manager, which delegates to that of the request. */
async function openNest(url: string, connection?: ServiceConnection): Promise<Opened> {
  const testing = await Test.createTestingModule({
    imports: [MikroOrmModule.forRoot(withSynthLab(serviceOptions(url), connection))],
  }).compile();
  const module = await testing.enableShutdownHooks().init();
  const em = module.get(EntityManager);
  return {
    em,
    transact: (work) => translated(RequestContext.create(em, () => em.transactional(() => work(em)))),
    outside: (work) => translated(RequestContext.create(em, () => work(em))),
    close: () => module.close(),
  };
}

function serviceOptions(clientUrl: string): ServiceOptions {
  return { clientUrl, entities: [Note] };
}

function translated<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw toDataError(error);
  });
}
