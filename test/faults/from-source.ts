// Makes a process that imports the package by its name use the sources: `node --import`.
import { registerHooks } from 'node:module';
import manifest from '../../package.json' with { type: 'json' };

const exported: Readonly<Record<string, string>> = manifest.exports;

registerHooks({
  resolve(specifier, context, next) {
    const compiled = exported[specifier.replace(/^synth-lab-data(?=\/|$)/, '.')];
    if (!specifier.startsWith('synth-lab-data') || compiled === undefined) return next(specifier, context);
    const source = compiled.replace('./dist/', '../../src/').replace(/\.js$/, '.ts');
    return next(new URL(source, import.meta.url).href, context);
  },
});
