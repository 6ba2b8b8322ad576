import { data } from './data.ts';
import { indexes } from './indexes.ts';
import { rights } from './rights.ts';
import { server } from './server.ts';
import type { Shape } from './shape.ts';
import { tables } from './tables.ts';
import { typesAndFunctions } from './types-and-functions.ts';
import { views } from './views.ts';

/** Shapes by the kind of objects that they change. Those of a group are sent to the same database, one after the other. */
export const groups: Readonly<Record<string, readonly Shape[]>> = {
  tables,
  indexes,
  'types and functions': typesAndFunctions,
  views,
  rights,
  server,
  data,
};
