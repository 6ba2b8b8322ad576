import { ReferenceKind, type EntityMetadata } from '@mikro-orm/postgresql';
import { expect, test } from 'vitest';
import { setsUpdatedAt, incrementsRowVersion } from '../../src/entities/triggers.ts';
import { tables } from './tables.ts';

// The rows of a join table are added and deleted, never changed.
const changeable = tables.filter(({ props }) => props.some(({ primary }) => !primary));

/** What an entity lacks, as the sentence that tells how to add it. */
function missing({ className, triggers, versionProperty, properties }: EntityMetadata): string[] {
  const has = ({ name }: { readonly name: string }): boolean => triggers.some((one) => one.name === name);
  return [
    ...(versionProperty ? [] : [`add ...rowVersion to the properties of ${className}`]),
    ...(has(incrementsRowVersion) ? [] : [`add incrementsRowVersion to the triggers of ${className}`]),
    ...(!('updatedAt' in properties) || has(setsUpdatedAt)
      ? []
      : [`add setsUpdatedAt to the triggers of ${className}`]),
  ];
}

test('every table whose rows change has a row version, and triggers for it and for updated_at', () => {
  expect(changeable.length).toBeGreaterThan(16);
  expect(changeable.flatMap(missing)).toEqual([]);
});

test('no column is unique but by the uniques of its entity', () => {
  // Several rows whose column changes would be updated twice each, since the ORM clears it first, and the unit of work would be refused.
  const found = changeable.flatMap(({ className, props }) =>
    props
      .filter(({ unique, kind }) => unique && kind === ReferenceKind.SCALAR)
      .map(({ name }) => `${className}.${name}: say it in uniques, with a name, rather than by .unique()`),
  );

  expect(found).toEqual([]);
});

test('a table without them is named with the remedy', () => {
  const [meta] = changeable;
  const without = Object.assign(Object.create(meta ?? null), { triggers: [], versionProperty: undefined });

  expect(missing(without)).toEqual(
    expect.arrayContaining([
      `add ...rowVersion to the properties of ${meta?.className}`,
      `add incrementsRowVersion to the triggers of ${meta?.className}`,
    ]),
  );
});
