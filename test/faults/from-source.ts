// Makes a process that imports the package by its name use the sources: `node --import`.
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    const [, folder] = /^synth-lab-data(?:\/(\w+))?$/.exec(specifier) ?? [];
    if (!specifier.startsWith('synth-lab-data')) return next(specifier, context);
    const source = folder === undefined ? 'index.ts' : `${folder}/index.ts`;
    return next(new URL(`../../src/${source}`, import.meta.url).href, context);
  },
});
