import { EntitySchema, type EntityMetadata } from '@mikro-orm/core';
import type { AnyCheck } from '../../src/repositories/signatures/check.ts';
import type { Method } from './methods.ts';
import { keyOf, valuesOf } from './row-values.ts';
import { parametersOf, sampleOf } from './sample.ts';
import type { World } from './world.ts';

/**
 * Arguments for a method by which it finds, or changes, the rows that a world has of its entity: `key` and `keys` are theirs, an
 * argument with the name of a column takes the value of the first row, `experimentId` that of its parent, or of the experiment that others share. A request is passed on;
 * of other options those are given that name a parent. Any other value is one that the argument's check accepts.
 */
export function derivedArguments(method: Method, world: World, request: object = {}): unknown[] {
  const { entity, signature, effect } = method;
  const meta = EntitySchema.REGISTRY.get(entity)?.meta;
  const rows = world.rowsOf(entity);
  const [row] = rows;
  if (!meta || !row) throw new Error(`the world has no row of ${entity.name}`);
  const values = (name: string, check: AnyCheck): unknown => {
    if (name === 'key') return keyOf(row);
    if (name === 'keys') return rows.map((one) => keyOf(one));
    const { kind, optional = false, fields = {} } = check.accepted ?? { kind: 'object' };
    if (kind === 'object') {
      const given = Object.entries(fields).flatMap(([field, part]) => {
        if (optional) return isParent(meta, field) ? [[field, values(field, part)]] : [];
        // A new value, where the method writes one; but a document of any other shape would be refused.
        const stored = effect === 'reads' || isParent(meta, field) || part.accepted?.kind === 'document';
        return [[field, stored && columnOf(meta, field) ? values(field, part) : sampleOf(part)]];
      });
      const asked = 'limit' in fields || 'first' in fields ? request : {};
      const whole: object = { ...Object.fromEntries(given), ...asked };
      return optional && Object.keys(whole).length === 0 ? undefined : whole;
    }
    const column = columnOf(meta, name);
    if (column !== undefined) return valuesOf(row)[column];
    const other = world.named(name.replace(/Id$/, ''));
    if (other && !optional) return keyOf(other);
    return optional ? undefined : sampleOf(check);
  };
  return parametersOf(signature).map(([name, check]) => values(name, check));
}

/** What a method takes a request for; null when it takes none. */
export function asks({ signature }: Method): 'page' | 'scroll' | null {
  const fields = Object(parametersOf(signature).at(-1)?.[1].accepted?.fields ?? {});
  if ('after' in fields) return 'scroll';
  return 'offset' in fields ? 'page' : null;
}

function columnOf({ properties }: EntityMetadata, name: string): string | undefined {
  return [name, name.replace(/Id$/, '')].find((property) => property in properties);
}

function isParent({ properties }: EntityMetadata, name: string): boolean {
  return properties[name.replace(/Id$/, '')]?.entity !== undefined;
}
