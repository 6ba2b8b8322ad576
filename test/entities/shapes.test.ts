import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import * as charts from '../../src/entities/shapes/chart-data.ts';
import * as entities from '../../src/entities.ts';
import { ShapedJson } from '../../src/json/shaped-json.ts';
import { createOfflineOrm } from '../../src/postgres/orm/offline-orm.ts';
import { factories } from '../concurrency/histories/factories.ts';
import { broken } from './broken.ts';
import { documents } from './documents.ts';

// Those of columns. The charts' have their documents where the cache is tested.
const shapes = new Map(
  Object.entries(entities).flatMap(([name, exported]) =>
    exported instanceof z.ZodType && !(name in charts) ? [[name, exported]] : [],
  ),
);

/** What the factories put into JSON columns, by the name of the column's shape. */
function documentsOfFactories(): [name: string, document: unknown][] {
  const em = createOfflineOrm().em.fork();
  return factories.flatMap(([, factory]) => {
    const row = factory(em);
    return em.getMetadata(row.constructor).props.flatMap(({ name, customType }) => {
      if (!(customType instanceof ShapedJson) || row[name] == null) return [];
      const found = [...shapes].find(([, exported]) => exported === customType.shape);
      return found ? [[found[0], row[name]] as [string, unknown]] : [];
    });
  });
}

const examples = new Map<string, unknown>([...documentsOfFactories(), ...Object.entries(documents)]);

function shape(name: string): z.ZodType {
  const found = shapes.get(name);
  if (!found) throw new Error(`${name} is not exported`);
  return found;
}

/** A copy of the document with another value at one place, or without the place. */
function at(document: unknown, path: string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined || key === '') return value;
  const copy: Record<string, unknown> = Array.isArray(document)
    ? Object.assign([], document)
    : { ...Object(document) };
  if (rest.length === 0 && value === undefined) delete copy[key];
  else copy[key] = at(copy[key], rest, value);
  return copy;
}

/** The document with a key that no shape knows in each of its objects, save those whose keys are data. */
function withUnknownKeys(document: unknown, place = ''): unknown {
  if (Array.isArray(document)) return document.map((element) => withUnknownKeys(element));
  if (typeof document !== 'object' || document === null) return document;
  const known = Object.entries(document).map(([key, value]) => [key, withUnknownKeys(value, key)]);
  const unknown = place === 'outcomes_by_delta' ? {} : { unknown_key: { kept: [null] } };
  return { ...Object.fromEntries(known), ...unknown };
}

// The outermost values that fields take.
const edges: [name: keyof typeof documents, path: string, values: unknown[]][] = [
  ['ScorecardDimension', 'score', [0, 1]],
  ['ScorecardDimension', 'lower_bound', [0, 0.35, null, undefined]],
  ['AnalysisConfig', 'n_synths', [10, 10_000, undefined]],
  ['AnalysisConfig', 'n_executions', [10, 1_000, undefined]],
  ['AnalysisConfig', 'sigma', [0, 0.5, undefined]],
  ['AnalysisConfig', 'seed', [-1, undefined]],
  ['OutcomeRates', 'success_rate', [0.47, 0.49]],
  ['SimulationResults', 'fail_rate', [0.295, 0.315]],
  ['Demographics', 'idade', [0, 120, undefined]],
  ['Demographics', 'composicao_familiar/numero_pessoas', [1]],
  ['ExplorationGoal', 'value', [0, 1]],
  ['ExplorationConfig', 'beam_width', [1, 10]],
  ['ExplorationConfig', 'max_depth', [1, 10]],
  ['ExplorationConfig', 'max_llm_calls', [1, 100]],
  ['TranscriptMessage', 'internal_notes', [undefined]],
  ['TranscriptMessages', '', [[]]],
  ['SynthData', '', [{}]],
  ['RegionRule', 'operator', ['<', '<=', '>', '>=']],
  ['FeatureScorecardData', 'complexity/min_uncertainty', [0, undefined]],
  ['SimulationOutcomes', '', [{ did_not_try: 1, failed: 1, success: 1 }]],
];

const taken = edges.flatMap(([name, path, values]) => values.map((value) => ({ name, path, value })));

const refused = Object.entries(broken).flatMap(([name, breaks]) =>
  breaks.flatMap(([path, values]) => values.map((value) => ({ name, path, value }))),
);

describe('the shapes of JSON documents', () => {
  test('are the ones that have documents, here or by a factory', () => {
    expect(
      [...shapes.keys()].toSorted(),
      'have the factory set a document of the shape, or add one to test/entities/documents.ts',
    ).toEqual([...examples.keys()].toSorted());
  });

  test.each([...examples])('%s takes a realistic document, and changes nothing in it', (name, document) => {
    expect(shape(name).parse(structuredClone(document))).toEqual(document);
  });

  test.each([...examples])('%s keeps keys that it does not know', (name, document) => {
    const extended = withUnknownKeys(document);

    expect(shape(name).parse(extended)).toEqual(extended);
  });

  test.each([...shapes])('%s takes no text, number or null', (_, one) => {
    for (const value of ['{}', 1, null]) expect(one.safeParse(value).success).toBe(false);
  });

  test.each(refused)('$name does not take $value at "$path"', ({ name, path, value }) => {
    const valid = new Map<string, unknown>(Object.entries(documents)).get(name);

    const { error } = shape(name).safeParse(at(valid, path.split('/'), value));

    const places = error?.issues.map((issue) => issue.path.join('/')) ?? [];
    expect(places.some((place) => place.startsWith(path) || path.startsWith(place))).toBe(true);
  });

  test.each(taken)('$name takes $value at "$path"', ({ name, path, value }) => {
    const document = at(documents[name], path.split('/'), value);

    expect(shape(name).parse(document)).toEqual(document);
  });
});
