import { inspect } from 'node:util';
import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Experiment, Synth, SynthGroup, type SynthData } from '../../src/entities.ts';
import { InvalidJsonError } from '../../src/errors.ts';
import { TestDatabase, aSynth, aSynthGroup, anExploration } from '../../src/testing/index.ts';

const secret = 'Maria Souza, 4711';

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterAll(() => db.drop());

/** Assigns what the compiler would refuse. */
function assign(row: Synth, data: unknown): void {
  Object.assign(row, { data });
}

async function refusal(work: Promise<unknown>): Promise<InvalidJsonError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof InvalidJsonError) return error;
  throw new Error('should be refused', { cause: error });
}

/** A synth from before its shape was tightened. */
async function outOfShape(em: EntityManager): Promise<Synth> {
  await em.execute(
    `insert into synths (id, nome, data) values ('old', 'Old', '{"demografia": {"idade": 121}, "note": [1]}')`,
  );
  return em.findOneOrFail(Synth, 'old');
}

describe('a document out of shape', () => {
  test('is refused before anything of its flush is sent', () =>
    db.rollback(async ({ em }) => {
      aSynthGroup(em);
      const synth = aSynth(em);
      assign(synth, { demografia: { idade: -1 } });

      await refusal(em.flush());

      // The transaction goes on, and holds nothing.
      expect(await em.fork({ keepTransactionContext: true }).count(SynthGroup)).toBe(0);
    }));

  test('is refused when it replaces or changes one that was stored', () =>
    db.rollback(async ({ em }) => {
      const synth = aSynth(em);
      await em.flush();

      Object.assign(synth.data?.observables ?? {}, { digital_literacy: 1.01 });

      const error = await refusal(em.flush());
      expect(error.issues).toMatchObject([{ path: ['observables', 'digital_literacy'] }]);
    }));

  test('is told by column, place and rule, without any of its values', () =>
    db.rollback(async ({ em }) => {
      const synth = aSynth(em);
      assign(synth, {
        demografia: { idade: secret, genero_biologico: secret, localizacao: { estado: secret } },
        psicografia: { interesses: [{ name: secret }], personalidade_big_five: secret },
        observables: { digital_literacy: secret },
        [secret]: secret,
      });

      const error = await refusal(em.flush());

      expect(error).toMatchObject({ code: 'invalid_json', column: 'synths.data' });
      expect(error.issues.map(({ path }) => path.join('.'))).toEqual([
        'demografia.idade',
        'demografia.genero_biologico',
        'demografia.localizacao.estado',
        'psicografia.interesses.0',
        'psicografia.personalidade_big_five',
        'observables.digital_literacy',
        'observables.similar_tool_experience',
        'observables.motor_ability',
        'observables.time_availability',
        'observables.domain_expertise',
      ]);
      expect(error.message).toContain('demografia.idade');
      expect(inspect(error, { depth: null })).not.toContain(secret);
    }));

  test.each([
    ['an array', []],
    ['a number', 1],
    ['text', '{}'],
    ['a truth', false],
  ])('is refused as %s, where there must be an object', (_, document) =>
    db.rollback(async ({ em }) => {
      assign(aSynth(em), document);

      expect(await refusal(em.flush())).toMatchObject({ column: 'synths.data' });
    }),
  );

  test('comes through `transact` as it is', async () => {
    const work = db.transact(async ({ em }) => {
      const exploration = anExploration(em);
      Object.assign(exploration.goal, { value: 2 });
    });

    expect(await refusal(work)).toMatchObject({ column: 'explorations.goal' });
    expect(await db.orm.em.fork().count(Experiment)).toBe(0);
  });
});

describe('a row whose document was stored before its shape was tightened', () => {
  test('is read as it is', () =>
    db.rollback(async ({ em }) => {
      const synth = await outOfShape(em);

      expect(synth.data).toEqual({ demografia: { idade: 121 }, note: [1] });
    }));

  test('can be changed in its other columns, and keeps its document', () =>
    db.rollback(async ({ em }) => {
      const synth = await outOfShape(em);

      synth.name = 'New';
      await em.flush();

      expect(await em.execute('select nome, data from synths')).toEqual([
        { nome: 'New', data: { demografia: { idade: 121 }, note: [1] } },
      ]);
    }));

  test('can be removed', () =>
    db.rollback(async ({ em }) => {
      em.remove(await outOfShape(em));
      await em.flush();

      expect(await em.count(Synth)).toBe(0);
    }));

  test('is held to the shape as soon as its document changes', () =>
    db.rollback(async ({ em }) => {
      const synth = await outOfShape(em);

      Object.assign(synth.data ?? {}, { note: [2] });

      expect(await refusal(em.flush())).toMatchObject({ issues: [{ path: ['demografia', 'idade'] }] });
    }));
});

describe('a document in shape', () => {
  test('keeps the keys that its shape does not know, at every level, and gets none that it lacks', () =>
    db.rollback(async ({ em }) => {
      const data: SynthData = {
        id: 'x1y2z3',
        demografia: { idade: 30, signo: 'leão', localizacao: { bairro: 'Centro' }, composicao_familiar: {} },
        psicografia: { contrato_cognitivo: { nota: [null] } },
        deficiencias: { visual: { tipo: 'cegueira', desde: 2001 }, olfativa: {} },
      };
      const synth = aSynth(em, { data });
      await em.flush();

      const stored = await em.refresh(synth);

      expect(stored?.data).toEqual(data);
    }));
});
