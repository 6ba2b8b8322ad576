import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { MikroOrmModule, getRepositoryToken } from '@mikro-orm/nestjs';
import { EntityManager } from '@mikro-orm/postgresql';
import {
  Catch,
  Controller,
  Inject,
  Injectable,
  Module,
  Param,
  Post,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
} from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Experiment } from '../../../src/entities.ts';
import { DataError, toDataError, withSynthLab } from '../../../src/index.ts';
import { ExperimentRepository } from '../../../src/repositories/index.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { Note, createNotes } from './note.ts';

// Nest's decorators are called as the functions that they are: decorators are no syntax that Node runs.

/** What a service does in a transaction: it takes part in the request's unit of work. */
class ExperimentService {
  readonly #em: EntityManager;
  readonly #experiments: ExperimentRepository;

  constructor(em: EntityManager, experiments: ExperimentRepository) {
    this.#em = em;
    this.#experiments = experiments;
  }

  async rename(key: string, name: string): Promise<object> {
    const before = this.#em.getUnitOfWork().getIdentityMap().keys().length;
    await this.#em.transactional(async () => {
      const experiment = await this.#experiments.get(key);
      both.arrive();
      await both.here;
      experiment.name = name;
    });
    return { before, after: this.#em.getUnitOfWork().getIdentityMap().keys().length };
  }

  async spoil(key: string): Promise<void> {
    await this.#em.transactional(async () => {
      Object.assign(await this.#experiments.get(key), { scorecardData: { nonsense: 1 } });
    });
  }
}
Injectable()(ExperimentService);
Inject(EntityManager)(ExperimentService, undefined, 0);
Inject(ExperimentRepository)(ExperimentService, undefined, 1);

class ExperimentController {
  readonly #service: ExperimentService;

  constructor(service: ExperimentService) {
    this.#service = service;
  }

  rename(key: string, name: string): Promise<object> {
    return this.#service.rename(key, name);
  }

  spoil(key: string): Promise<void> {
    return this.#service.spoil(key);
  }
}
Controller('experiments')(ExperimentController);
Inject(ExperimentService)(ExperimentController, undefined, 0);
for (const [method, path, names] of [
  ['rename', ':key/name/:name', ['key', 'name']],
  ['spoil', ':key/spoil', ['key']],
] as const) {
  const descriptor = Object.getOwnPropertyDescriptor(ExperimentController.prototype, method);
  if (!descriptor) throw new Error(`there is no ${method}`);
  Post(path)(ExperimentController.prototype, method, descriptor);
  names.forEach((name, index) => Param(name)(ExperimentController.prototype, method, index));
}

/** What of the platform's answer is used here. */
interface Response {
  status(code: number): { json(body: unknown): void };
}

/** Answers with the code of our errors. */
class DataErrors implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    const error = toDataError(thrown);
    const response = host.switchToHttp().getResponse<Response>();
    response
      .status(error instanceof DataError ? 422 : 500)
      .json({ code: error instanceof DataError ? error.code : '' });
  }
}
Catch()(DataErrors);

let both: { arrive(): void; readonly here: Promise<void> };
/** Has the next `count` requests wait for each other. */
function meet(count: number): void {
  const { promise, resolve } = Promise.withResolvers<void>();
  let missing = count;
  both = {
    arrive: () => {
      if (--missing === 0) resolve();
    },
    here: promise,
  };
}

let db: TestDatabase;
let app: INestApplication;
let origin: string;
beforeAll(async () => {
  db = await TestDatabase.create();
  await db.orm.em.execute(createNotes);
  // oxlint-disable-next-line typescript/no-extraneous-class -- a module of Nest's is a class with nothing in it
  class AppModule {}
  Module({
    imports: [
      MikroOrmModule.forRoot({ ...withSynthLab({ clientUrl: db.url }), autoLoadEntities: true }),
      MikroOrmModule.forFeature([Experiment, Note]),
    ],
    controllers: [ExperimentController],
    providers: [ExperimentService, { provide: APP_FILTER, useClass: DataErrors }],
  })(AppModule);
  app = await NestFactory.create(AppModule, { logger: false });
  await app.enableShutdownHooks().listen(0, '127.0.0.1');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  origin = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
});
afterAll(async () => {
  await app.close();
  await db.drop();
});

function post(path: string): Promise<globalThis.Response> {
  return fetch(`${origin}/experiments/${path}`, { method: 'POST' });
}

async function stored(): Promise<string> {
  return db.transact(async ({ em }) => anExperiment(em).id);
}

test('our repositories are injected, by their class and by their entity', () => {
  expect(app.get(ExperimentRepository)).toBeInstanceOf(ExperimentRepository);
  expect(app.get(getRepositoryToken(Experiment))).toBeInstanceOf(ExperimentRepository);
});

test('two requests at once have a unit of work each', async () => {
  const keys = [await stored(), await stored()];
  meet(2);

  const answers = await Promise.all(
    keys.map(async (key, index) => (await post(`${key}/name/Name${index}`)).json()),
  );

  expect(answers).toEqual([
    { before: 0, after: 1 },
    { before: 0, after: 1 },
  ]);
  expect(await db.orm.em.execute('select name from experiments order by name')).toEqual([
    { name: 'Name0' },
    { name: 'Name1' },
  ]);
});

test('two requests that change the same row don’t overwrite each other', async () => {
  const key = await stored();
  meet(2);

  const answers = await Promise.all(['One', 'Two'].map((name) => post(`${key}/name/${name}`)));

  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 422]));
  const refused = answers.find(({ status }) => status === 422);
  expect(await refused?.json()).toEqual({ code: 'contention' });
});

test('a request that would store a document out of shape is refused', async () => {
  const key = await stored();

  const answer = await post(`${key}/spoil`);

  expect(answer.status).toBe(422);
  expect(await answer.json()).toEqual({ code: 'invalid_json' });
});
