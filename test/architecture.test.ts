import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Module, readProject } from './module.ts';

/** A rule on the sources. `breaches` returns one message for each breach, with the file and the remedy. */
interface Rule {
  readonly name: string;
  readonly breaches: (project: readonly Module[]) => string[];
  /** Files that break it, each with a part of the message; an existing path stands for that file with this text. */
  readonly broken: readonly (readonly [path: string, text: string, message: string])[];
}

// Which folders of src the files of each may import, besides their own. `errors` and `index` are files; `migrations` is both.
const layers: Partial<Record<string, readonly string[]>> = {
  errors: [],
  'is-data-error': ['errors'],
  settings: ['errors'],
  // Checks that come with the entities, in any ORM.
  guards: [],
  json: ['errors', 'guards'],
  wire: ['errors'],
  entities: ['errors', 'guards', 'json', 'wire', 'entity-list'],
  // Without the shapes of documents, which `entities` exports too.
  'entity-list': ['entities'],
  // Only it knows the driver and the ORM's internals; it configures the ORM.
  postgres: ['errors', 'settings', 'guards', 'json', 'wire', 'entities', 'entity-list', 'migrations'],
  repositories: ['errors', 'json', 'wire', 'entities', 'postgres'],
  // It falls back to the embedded server, and checks for pending migrations.
  database: ['errors', 'settings', 'json', 'entities', 'postgres', 'repositories', 'embedded'],
  migrations: [],
  // It re-exports the package `mikro-orm-safe-migrations`.
  migrator: [],
  loading: ['errors', 'json', 'wire', 'entities', 'postgres', 'repositories', 'database'],
  exporting: ['errors', 'json', 'wire', 'postgres', 'database', 'loading'],
  'legacy-import': ['errors', 'settings', 'json', 'entities', 'postgres', 'repositories', 'database'],
  embedded: [],
  fastify: ['is-data-error', 'database'],
  testing: ['errors', 'settings', 'entities', 'postgres', 'database', 'embedded'],
  index: [
    'errors',
    'is-data-error',
    'settings',
    'json',
    'entities',
    'postgres',
    'repositories',
    'database',
    'embedded',
  ],
};
layers['cli'] = Object.keys(layers);

// The package of the migrator: its files on top may import all of its folders, each folder those before it, and none of ours.
const migrator = 'packages/migrator/src';
const migratorFolders = [
  'sql',
  'internals',
  'session',
  'files',
  'ledger',
  'lease',
  'catalog',
  'drift',
  'leftovers',
  'entities',
  'prechecks',
  'run',
  'plan',
  'losses',
  'lint',
  'create',
  'squash',
  'safe-forms',
  'rename-column',
  'parking',
  'rows',
  'measure',
  'verify',
  'traffic',
  'proof',
  'forecast',
  'terminal',
].map((name) => `${migrator}/${name}`);
for (const [index, folder] of migratorFolders.entries()) layers[folder] = migratorFolders.slice(0, index);
layers[migrator] = migratorFolders;
// A subpath of its package: what a service needs at each start.
layers[`${migrator}/gap`] = ['ledger'].map((name) => `${migrator}/${name}`);
layers[`${migrator}/cli/host`] = [...migratorFolders, migrator];
layers[`${migrator}/cli/commands`] = [...migratorFolders, migrator, `${migrator}/cli/host`];
layers[`${migrator}/cli`] = [
  ...migratorFolders,
  migrator,
  `${migrator}/cli/host`,
  `${migrator}/cli/commands`,
];

// Packages that only some may import.
const reserved: Partial<Record<string, readonly string[]>> = {
  // Those below src/database look at the pool.
  pg: [
    'src/postgres/',
    'src/database/doctor/',
    'src/database/health/',
    'src/database/telemetry/',
    'packages/migrator/',
    'src/loading/',
    'src/legacy-import/',
  ],
  kysely: [
    'src/postgres/',
    'src/database/units/',
    'packages/migrator/',
    'src/repositories/',
    'src/legacy-import/',
  ],
  '@opentelemetry/api': ['src/database/telemetry/'],
  fastify: ['src/fastify/'],
  'libpg-query': [`${migrator}/sql/`],
  'fastify-plugin': ['src/fastify/'],
  'pg-copy-streams': ['src/postgres/copy/'],
  'node:sqlite': ['src/legacy-import/source/'],
};

const mayImportLegacy = [
  'src/entity-list.ts',
  'src/entities/legacy/',
  'src/repositories/legacy/',
  'src/repositories/repositories.ts',
  'src/testing/',
];

// A file for each table, and for each migration: a subject has no more than one of them.
const mayBeCrowded = new Set(['src/entities', 'src/repositories', 'src/migrations']);

const emptyNames = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'types', 'misc']);

const rules: Rule[] = [
  {
    name: 'imports follow the layers',
    breaches: (project) =>
      inSource(project).flatMap(({ path, imports }) => {
        const allowed = layers[folderOf(path)];
        if (!allowed)
          return [`${path}: declare in test/architecture.test.ts what ${folderOf(path)} may import`];
        return imports
          .filter(({ from, ours }) => ours && ![folderOf(path), ...allowed].includes(folderOf(from)))
          .map(({ from }) => `${path} imports ${from}: ${folderOf(path)} may import ${list(allowed)} only`);
      }),
    broken: [
      ['src/entities/a.ts', `import { b } from '../database/b.ts';`, 'imports src/database/b.ts'],
      [
        'src/entities/a.ts',
        `import type { B } from '../repositories/b.ts';`,
        'imports src/repositories/b.ts',
      ],
      ['src/postgres/a.ts', `import { b } from '../database/b.ts';`, 'imports src/database/b.ts'],
      ['src/postgres/a.ts', `import '../repositories/b.ts';`, 'imports src/repositories/b.ts'],
      ['src/json/a.ts', `export * from '../entities.ts';`, 'imports src/entities.ts'],
      ['src/database/a.ts', `export { run } from '../cli/main.ts';`, 'imports src/cli/main.ts'],
      ['src/migrator/a.ts', `await import('../errors.ts');`, 'imports src/errors.ts'],
      [`${migrator}/a.ts`, `await import('../../../src/errors.ts');`, 'imports src/errors.ts'],
      [
        `${migrator}/plan/a.ts`,
        `import { Migrator } from '../migrator.ts';`,
        `imports ${migrator}/migrator.ts`,
      ],
      [
        `${migrator}/ledger/a.ts`,
        `import type { Lease } from '../lease/lease.ts';`,
        'imports packages/migrator/src/lease/lease.ts',
      ],
      [
        'src/cli/a.ts',
        `import { Lease } from '../../packages/migrator/src/lease/lease.ts';`,
        'imports packages/migrator/src/lease/lease.ts',
      ],
      [
        `${migrator}/extra/a.ts`,
        '',
        `declare in test/architecture.test.ts what ${migrator}/extra may import`,
      ],
      ['src/embedded/a.ts', 'await import(`../errors.ts`);', 'imports src/errors.ts'],
      ['src/settings/a.ts', `let a: import('../entities.ts').Synth;`, 'imports src/entities.ts'],
      ['src/settings/a.ts', `let a: typeof import('../json/column.ts');`, 'imports src/json/column.ts'],
      ['src/errors.ts', `import './index.ts';`, 'imports src/index.ts'],
      ['src/index.ts', `import './testing/index.ts';`, 'imports src/testing/index.ts'],
      ['src/errors.ts', `import '../test/module.ts';`, 'imports test/module.ts'],
      ['src/extra/a.ts', '', 'declare in test/architecture.test.ts what extra may import'],
    ],
  },
  {
    name: 'no file imports itself through others',
    breaches: (project) => circles(importsByFile(project)),
    broken: [
      [
        'src/errors/data-error.ts',
        `import './refused-errors.ts';`,
        'src/errors/data-error.ts and src/errors/refused-errors.ts import each other: move what both need into a third',
      ],
    ],
  },
  {
    name: 'a folder and the files next to it do not import each other',
    breaches: (project) =>
      foldersOf(project).flatMap((folder) => {
        const parent = posix.dirname(folder);
        const inside = below(project, `${folder}/`);
        const beside = inSource(project).filter(({ path }) => posix.dirname(path) === parent);
        const down = beside.find((module) => inside.some(({ path }) => reaches(module, path)));
        const up = inside.find((module) => beside.some(({ path }) => reaches(module, path)));
        return down && up
          ? [
              `${down.path} imports what is below ${folder}, and ${up.path} what is above it: move what both need into a third`,
            ]
          : [];
      }),
    broken: [
      [
        'src/database/health/a.ts',
        `import '../open-database.ts';`,
        'imports what is below src/database/health, and src/database/health/a.ts what is above it',
      ],
    ],
  },
  {
    name: 'a name is declared and exported by one file; others re-export it',
    breaches: (project) => {
      const files = inSource(project).flatMap(({ path, exports }) =>
        [...new Set(exports)].map((name) => ({ name, path })),
      );
      return [...Map.groupBy(files, ({ name }) => name)]
        .filter(([, found]) => found.length > 1)
        .map(
          ([name, found]) =>
            `${name} is exported by ${list(found.map(({ path }) => path))}: rename all but one`,
        );
    },
    broken: [
      [
        'src/cli/a.ts',
        'export class Database {}',
        'Database is exported by src/database/database.ts, src/cli/a.ts: rename all but one',
      ],
      ['src/wire/a.ts', 'export type TxClient = string;', 'TxClient is exported by'],
      [
        'src/wire/a.ts',
        'export interface Lease {}',
        'Lease is exported by packages/migrator/src/lease/lease.ts, ',
      ],
      [
        `${migrator}/plan/a.ts`,
        'export class Database {}',
        `Database is exported by src/database/database.ts, `,
      ],
    ],
  },
  {
    name: 'a migration imports nothing but @mikro-orm/migrations and backfill, so that it still runs in years',
    breaches: (project) =>
      below(project, 'src/migrations/').flatMap(({ path, imports }) =>
        imports
          .filter(
            ({ from, names }) =>
              from !== '@mikro-orm/migrations' &&
              !(from === 'mikro-orm-safe-migrations' && names.every((name) => name === 'backfill')),
          )
          .map(({ from }) => `${path} imports ${from}: write what it needs of it into the migration`),
      ),
    broken: [
      ['src/migrations/Migration1_a.ts', `import { v7 } from 'uuid';`, 'imports uuid'],
      ['src/migrations/Migration1_a.ts', `import { b } from './b.ts';`, 'imports src/migrations/b.ts'],
      [
        'src/migrations/Migration1_a.ts',
        `import { Migrator } from 'mikro-orm-safe-migrations';`,
        'imports mikro-orm-safe-migrations',
      ],
    ],
  },
  {
    name: 'every migration is in the list of migrations',
    breaches: (project) => {
      const index = find(project, 'src/migrations.ts');
      return below(project, 'src/migrations/')
        .filter(({ path }) => !reaches(index, path))
        .map(
          ({ path }) => `${path}: import its class in ${index?.path} and add it at the end of the list there`,
        );
    },
    broken: [
      [
        'src/migrations/Migration29990101000000_unlisted.ts',
        'export class Migration29990101000000_unlisted extends Migration {}',
        'Migration29990101000000_unlisted.ts: import its class in src/migrations.ts and add it at the end of the list there',
      ],
    ],
  },
  {
    name: 'only those folders know the driver that have to',
    breaches: (project) =>
      inSource(project).flatMap(({ path, imports }) =>
        imports.flatMap(({ from }) => {
          const homes = reserved[from];
          if (!homes || isBelow(path, homes)) return [];
          return [`${path} imports ${from}: call a module below ${list(homes)}, which uses it`];
        }),
      ),
    broken: [
      ['src/testing/a.ts', `import pg from 'pg';`, 'imports pg'],
      ['src/database/units/a.ts', `import pg from 'pg';`, 'imports pg'],
      ['src/cli/a.ts', `import type { Kysely } from 'kysely';`, 'imports kysely'],
      ['src/cli/a.ts', `const { from } = await import('pg-copy-streams');`, 'imports pg-copy-streams'],
      ['src/embedded/a.ts', `import { require } from 'b'; require('pg/lib/client.js');`, 'imports pg'],
      ['src/legacy-import/a.ts', `import { DatabaseSync } from 'node:sqlite';`, 'imports node:sqlite'],
    ],
  },
  {
    name: 'only a few modules import the two legacy entities',
    breaches: (project) => {
      const lists = new Set(['src/entities.ts', 'src/entity-list.ts']);
      const names = new Set(below(project, 'src/entities/legacy/').flatMap((legacy) => legacy.exports));
      return inSource(project).flatMap(({ path, imports }) =>
        imports
          .filter(
            ({ from, names: imported }) =>
              isLegacy(from) || (lists.has(from) && imported.some((name) => names.has(name))),
          )
          .filter(() => !isBelow(path, mayImportLegacy))
          .map(
            ({ from }) => `${path} imports a legacy entity from ${from}: only ${list(mayImportLegacy)} may`,
          ),
      );
    },
    broken: [
      [
        'src/entities/a.ts',
        `import { SimulationRun } from './legacy/simulation-run.ts';`,
        'imports a legacy entity',
      ],
      ['src/database/a.ts', `import { SimulationRun } from '../entities.ts';`, 'imports a legacy entity'],
    ],
  },
  {
    name: 'every entity is in the list of entities',
    breaches: (project) => {
      const index = find(project, 'src/entity-list.ts');
      return below(project, 'src/entities/')
        .filter(({ calls }) => calls.includes('defineEntity'))
        .filter(({ path }) => !reaches(index, path))
        .map(({ path }) => `${path}: export it in ${index?.path}`);
    },
    broken: [
      [
        'src/entities/unlisted.ts',
        `const UnlistedSchema = defineEntity({}); export class Unlisted extends UnlistedSchema.class {}`,
        'src/entities/unlisted.ts: export it in src/entity-list.ts',
      ],
    ],
  },
  {
    name: 'every repository is exported, and in the record of repositories',
    breaches: (project) => {
      const record = find(project, 'src/repositories/repositories.ts');
      return below(project, 'src/repositories/')
        .filter(({ path }) => path.endsWith('-repository.ts'))
        .filter(({ path }) => (record?.imports.filter(({ from }) => from === path).length ?? 0) < 2)
        .map(({ path }) => `${path}: import it, export it and add it to the record in ${record?.path}`);
    },
    broken: [
      [
        'src/repositories/unlisted-repository.ts',
        'export class UnlistedRepository extends Repository<Unlisted> {}',
        'src/repositories/unlisted-repository.ts: import it, export it and add it to the record in src/repositories/repositories.ts',
      ],
    ],
  },
  {
    name: 'output is printed by one module, which detects lost output',
    breaches: (project) =>
      inSource(project)
        // The log of a service: not what a command prints.
        .filter(({ path }) => path !== 'src/database/telemetry/logger.ts')
        // A signal ends the process at once, as without a handler.
        .filter(({ path }) => path !== `${migrator}/terminal/termination.ts`)
        .flatMap(({ path, lines }) =>
          lines
            .filter((line) => !isComment(line))
            .flatMap(
              (line) => /\bconsole\.\w+|process\.(?:std(?:out|err)\.write|exit)\b/.exec(line)?.[0] ?? [],
            )
            .map(
              (call) =>
                `${path} uses ${call}: print by packages/migrator/src/terminal/output.ts, end by process.exitCode`,
            ),
        ),
    broken: [
      ['src/cli/a.ts', `console.log('done');`, 'uses console.log'],
      ['src/cli/a.ts', `process.stdout.write('done');`, 'uses process.stdout.write'],
      ['src/cli/a.ts', `if (failed) process.exit(1);`, 'uses process.exit'],
    ],
  },
  {
    name: 'a file is named after its content',
    breaches: (project) =>
      project
        // The one folder that is about types.
        .filter(({ path }) => !path.startsWith('test/types/'))
        .filter(({ path }) => path.split(/[/.]/).some((part) => emptyNames.has(part)))
        .map(({ path }) => `${path}: name it after its content`),
    broken: [
      ['src/database/utils.ts', '', 'name it after its content'],
      ['src/common/a.ts', '', 'name it after its content'],
      ['test/helpers/a.ts', '', 'name it after its content'],
    ],
  },
  {
    name: 'a comment explains why the compiler or the linter is overruled',
    breaches: (project) =>
      project.flatMap(({ path, lines, untyped }) => [
        ...untyped
          .filter((line) => !hasComment(lines[line]) && !isComment(lines[line - 1]))
          .map(
            (line) => `${path}:${line + 1}: say why in a comment on this line or above it, or name the type`,
          ),
        ...lines.flatMap((text, line) => {
          const directive = /(?:\/\/|\/\*)\s*(@ts-ignore|(?:ox|es)lint-disable[\w-]*)/.exec(
            withoutStrings(text),
          )?.[1];
          if (directive === undefined) return [];
          const reason = text
            .split(directive === '@ts-ignore' ? directive : ' -- ')[1]
            ?.replace('*/', '')
            .trim();
          return reason || isComment(lines[line - 1])
            ? []
            : [`${path}:${line + 1}: say why after ${directive} (… -- because), or do without it`];
        }),
      ]),
    broken: [
      ['src/a.ts', 'let a;\nlet b: any;', 'src/a.ts:2: say why'],
      ['src/a.ts', 'let a = 1 as any;', 'src/a.ts:1: say why'],
      ['src/a.ts', 'let a = "// " + (1 as unknown as string);', 'src/a.ts:1: say why'],
      ['src/a.ts', 'let a = <string><unknown>1;', 'src/a.ts:1: say why'],
      ['test/a.ts', '// @ts-ignore\nlet a: string = 1;', 'test/a.ts:1: say why after @ts-ignore'],
      [
        'test/a.ts',
        '// oxlint-disable-next-line no-console\na();',
        'test/a.ts:1: say why after oxlint-disable-next-line',
      ],
      ['test/a.ts', '/* eslint-disable */', 'test/a.ts:1: say why after eslint-disable'],
    ],
  },
];

// Parsing it takes a second.
const sources = readProject();

describe.for(rules)('$name', ({ breaches, broken }) => {
  test('holds', () => {
    expect(breaches(sources)).toEqual([]);
  });

  test.for(broken)('reports %s: %s', ([path, text, message]) => {
    const standing = breaches(sources);
    const found = breaches([...sources.filter((module) => module.path !== path), new Module(path, text)]);

    expect(found.filter((breach) => !standing.includes(breach)).join('\n')).toContain(message);
  });
});

test('a folder has twenty files at most', () => {
  const files = Array.from({ length: 21 }, (_, at) => new Module(`src/wire/${at}.ts`, ''));

  expect(crowded(sources)).toEqual([]);
  expect(crowded(files)).toEqual(['src/wire has 21 files: divide it by subject']);
});

function crowded(modules: readonly Module[]): string[] {
  return [...Map.groupBy(inSource(modules), ({ path }) => posix.dirname(path))]
    .filter(([folder, files]) => files.length > 20 && !mayBeCrowded.has(folder))
    .map(([folder, files]) => `${folder} has ${files.length} files: divide it by subject`);
}

test('a reason on the line or above it is accepted', () => {
  const rule = rules.at(-1);
  const texts = [
    '// The driver gives no type.\nlet a: any;',
    'let a = 1 as unknown as string; // a brand',
    '// @ts-ignore the types are wrong upstream\nlet a: string = 1;',
    '// oxlint-disable-next-line no-console -- the user asked\na();',
  ];

  for (const text of texts) expect(rule?.breaches([new Module('src/a.ts', text)])).toEqual([]);
});

/** The files of src that each file imports. */
function importsByFile(project: readonly Module[]): Map<string, Set<string>> {
  return new Map(
    inSource(project).map(({ path, imports }) => [path, new Set(imports.map(({ from }) => from))]),
  );
}

/** The folders of src that are in another one. The files directly in src are no folder's: `errors` is below all, `index` on top. */
function foldersOf(project: readonly Module[]): string[] {
  const folders = inSource(project).map(({ path }) => posix.dirname(path));
  return [...new Set(folders)].filter(
    (folder) =>
      !['.', 'src'].includes(posix.dirname(folder)) && posix.basename(posix.dirname(folder)) !== 'src',
  );
}

/** Returns a message for each cycle of imports. */
function circles(imports: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const reached = new Map([...imports.keys()].map((from) => [from, reachedFrom(imports, from)]));
  const groups = new Set<string>();
  for (const [from, all] of reached) {
    if (!all.has(from)) continue;
    const circle = [...all].filter((to) => reached.get(to)?.has(from)).toSorted();
    groups.add(`${circle.join(' and ')} import each other: move what both need into a third`);
  }
  return [...groups];
}

function reachedFrom(imports: ReadonlyMap<string, ReadonlySet<string>>, start: string): Set<string> {
  const reached = new Set<string>();
  const open = [start];
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    for (const to of imports.get(from) ?? []) {
      if (reached.has(to)) continue;
      reached.add(to);
      open.push(to);
    }
  }
  return reached;
}

function inSource(project: readonly Module[]): Module[] {
  return project.filter(({ path }) => /^(?:packages\/[^/]+\/)?src\//.test(path));
}

function below(project: readonly Module[], folder: string): Module[] {
  return project.filter(({ path }) => path.startsWith(folder));
}

function find(project: readonly Module[], path: string): Module | undefined {
  return project.find((module) => module.path === path);
}

function isBelow(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(folder));
}

function isLegacy(from: string): boolean {
  return from.startsWith('src/entities/legacy/');
}

/**
 * The folder below src that a file is in, or its own name for one that is in none; in a package, the folder's whole path. `(outside)` for
 * what is in neither.
 */
function folderOf(path: string): string {
  const [, inPackage, inSrc] =
    /^(?:(packages\/[^/]+\/src(?:\/[^/]+(?=\/))?)\/|src\/([^/]+?)(?:\/|\.ts$))/.exec(path) ?? [];
  return inPackage ?? inSrc ?? '(outside)';
}

function reaches(module: Module | undefined, path: string): boolean {
  return module?.imports.some(({ from }) => from === path) ?? false;
}

function hasComment(line = ''): boolean {
  return /\/[/*]/.test(withoutStrings(line));
}

function withoutStrings(line: string): string {
  return line.replaceAll(/(['"`])(?:\\.|(?!\1).)*\1/g, '');
}

function isComment(line = ''): boolean {
  return /^\s*(?:\/\/|\/?\*)/.test(line);
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'nothing of ours' : names.join(', ');
}
