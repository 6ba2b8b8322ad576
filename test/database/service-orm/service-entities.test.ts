import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { Note, createNotes } from './note.ts';
import { openings, type Opened } from './openings.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await TestDatabase.create();
  await db.orm.em.execute(createNotes);
});
afterEach(() => db.orm.em.execute('truncate experiments, notes cascade'));
afterAll(() => db.drop());

describe.for(openings.slice(1))('entities of the service, with $name', ({ open }) => {
  let service: Opened;
  beforeAll(async () => void (service = await open(db.url)));
  afterAll(() => service.close());

  test('are flushed in a batch outside a transaction, with a version of another type', async () => {
    await service.outside(async (em) => {
      const notes = ['a', 'b'].map((id) => em.create(Note, { id, text: 'first' }));
      await em.persist(notes).flush();
      for (const note of notes) note.text = 'second';
      await em.flush();
    });

    expect(await db.orm.em.execute('select id, text from notes order by id')).toEqual([
      { id: 'a', text: 'second' },
      { id: 'b', text: 'second' },
    ]);
  });

  test('are written in one transaction with ours, and leave the identity map by a cascade', async () => {
    await service.transact(async (em) => {
      const experiment = anExperiment(em);
      em.create(Note, { id: 'a', text: 'first', experiment });
      await em.flush();
      em.remove(experiment);
      await em.flush();
      expect(em.getUnitOfWork().getById(Note, 'a')).toBeUndefined();
    });

    expect(await db.orm.em.execute('select id from notes')).toEqual([]);
  });
});
