// `npm run build`: bundles the sources into a few files of dist/. Node would take longer to load one file per source than to load the ORM.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, type RolldownPlugin } from 'rolldown';

const root = import.meta.dirname;

// What we use of these becomes part of the build. They consist of many files, most of which are not used.
const inlined = ['uuid', 'zod'];

/**
 * Takes Node's modules without their facades for `import`. A facade reads every export, and so loads parts of Node that nothing uses: of
 * `node:fs` its promises, streams and watchers.
 */
const builtinsWithoutFacades: RolldownPlugin = {
  name: 'builtins-without-facades',
  // The lines stay where they are, and with them the source maps.
  renderChunk: (code) => ({
    map: null,
    code: code
      .replaceAll(
        /^import \{ (.+) \} from ("node:[\w/]+");$/gm,
        (_, names: string, module: string) =>
          `const { ${names.replaceAll(' as ', ': ')} } = process.getBuiltinModule(${module});`,
      )
      // The bundler's own functions import one that they don't use.
      .replaceAll(/^(?:import "node:[\w/]+"|const \{ createRequire \} = .+(?![^]*createRequire));$/gm, ''),
  }),
};

/** Runs the modules of the shapes, and zod, when a document is checked first: a third of our part of a start would be theirs. */
const shapesOnFirstUse: RolldownPlugin = {
  name: 'shapes-on-first-use',
  load: (id) =>
    id.endsWith('src/entities/load-shapes.ts')
      ? `let loaded; export function shapes() { return (loaded ??= require('./shapes.ts')); }`
      : null,
};

// The subpaths that the package exports, the command line, and a module that a separate process imports.
const entries = [
  'index',
  'entities',
  'repositories/index',
  'loading/index',
  'exporting/index',
  'embedded/index',
  'migrations',
  'migrator/index',
  'fastify/index',
  'testing/index',
  'testing/remove-server',
  'cli/main',
];

rmSync(join(root, 'dist'), { recursive: true, force: true });
await build({
  input: Object.fromEntries(entries.map((entry) => [entry, join(root, 'src', `${entry}.ts`)])),
  platform: 'node',
  external: (id) => !/^[./]/.test(id) && !inlined.some((name) => id === name || id.startsWith(`${name}/`)),
  plugins: [shapesOnFirstUse, builtinsWithoutFacades],
  // Repositories register themselves.
  treeshake: { moduleSideEffects: [{ test: /node_modules/, sideEffects: false }] },
  output: {
    dir: join(root, 'dist'),
    format: 'esm',
    sourcemap: true,
    // As deep as most sources, which read files relative to themselves.
    chunkFileNames: 'chunks/[name].js',
    // Errors and entities are known by the names of their classes.
    keepNames: true,
    // `removeServerDetached` imports its own module by the name of its export.
    minifyInternalExports: false,
    comments: { legal: true, annotation: true, jsdoc: false },
    codeSplitting: { groups: [{ name: 'inlined', test: /node_modules/ }] },
    banner: ({ name }) => (name === 'inlined' ? licenses() : ''),
  },
});

function licenses(): string {
  return inlined
    .map((name) => {
      const file = name === 'uuid' ? 'LICENSE.md' : 'LICENSE';
      return `/*! ${name}\n${readFileSync(join(root, 'node_modules', name, file), 'utf8')}*/\n`;
    })
    .join('');
}
