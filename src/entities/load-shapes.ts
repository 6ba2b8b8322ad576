import * as loaded from './shapes.ts';

/**
 * Returns the shapes of JSON documents. Entities and repositories call it when they check a document: the build replaces this function by one that
 * runs the modules of the shapes, and zod, at the first call.
 */
export function shapes(): typeof loaded {
  return loaded;
}
