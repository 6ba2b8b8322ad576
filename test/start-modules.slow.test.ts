import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../src/testing/index.ts';
import { installPackage } from './packed-package.ts';

const run = promisify(execFile);
let consumer: string;

beforeAll(async () => {
  consumer = await installPackage(['@opentelemetry/api']);
});

afterAll(async () => {
  await rm(dirname(consumer), { recursive: true, force: true });
});

/** Returns the URLs of the modules that Node loads for `specifier` after those of `before`. */
async function modulesOf(specifier: string, before?: string): Promise<string[]> {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = new Set();
    registerHooks({ load(url, context, next) { loaded.add(url); return next(url, context); } });
    ${before ? `await import('${before}'); loaded.clear();` : ''}
    await import('${specifier}');
    console.log(JSON.stringify([...loaded]));`;
  const flags = ['--input-type=module', '--eval', script];
  const { stdout } = await run(process.execPath, flags, { cwd: consumer });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the script's output
  return JSON.parse(stdout) as string[];
}

/** Returns the package of a module; null for one of Node's. */
function packageOf(url: string): string | null {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? (url.startsWith('node:') ? null : url);
}

/** Returns the folders of `src` whose sources are in the bundled files, from their source maps. */
async function foldersIn(bundles: readonly string[]): Promise<Set<string>> {
  const folders = new Set<string>();
  for (const bundle of bundles) {
    const path = fileURLToPath(bundle);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the bundler's file
    const map = JSON.parse(await readFile(`${path}.map`, 'utf8').catch(() => '{"sources":[]}')) as {
      readonly sources: readonly string[];
    };
    const root = join(path, relative(path, path.slice(0, path.indexOf('/dist/'))));
    for (const source of map.sources) {
      const [, folder] = /^src\/(.*)\/[^/]+$/.exec(relative(root, join(dirname(path), source))) ?? [];
      if (folder !== undefined) folders.add(folder);
    }
  }
  return folders;
}

/** What a process has loaded at a time: parts of Node, the API of OpenTelemetry, and what zod leaves in the global object. */
interface Loaded {
  readonly node: readonly string[];
  readonly telemetry: boolean;
  readonly zod: boolean;
}

/** Returns what a service has loaded after the import, after the first row, and after the first document. */
async function loadedBy(url: string): Promise<Record<'imported' | 'opened' | 'written', Loaded>> {
  const script = `
    import { registerHooks } from 'node:module';
    const modules = new Set();
    registerHooks({ load(url, context, next) { modules.add(url); return next(url, context); } });
    const loaded = () => ({
      node: process.moduleLoadList.flatMap((name) => /^NativeModule ([^_].*)$/.exec(name)?.[1] ?? []),
      telemetry: [...modules].some((url) => url.includes('@opentelemetry')),
      zod: '__zod_globalRegistry' in globalThis,
    });
    const { openDatabase } = await import('synth-lab-data');
    const imported = loaded();
    const database = await openDatabase({ url: ${JSON.stringify(url)} });
    await database.read(({ experiments }) => experiments.pageSummaries({ limit: 1 }));
    const opened = loaded();
    await database.transact(({ synths }) => synths.add({ name: 'Ana', data: { demografia: { idade: 30 } } }));
    console.log(JSON.stringify({ imported, opened, written: loaded() }));
    await database.close();`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: consumer,
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the script's output
  return JSON.parse(stdout) as Record<'imported' | 'opened' | 'written', Loaded>;
}

describe('the import of the package', () => {
  test('loads a few bundled files, and no other package than the ORM does', async () => {
    const loaded = await modulesOf('synth-lab-data', '@mikro-orm/postgresql');
    const others = Map.groupBy(loaded, packageOf);
    const ours = others.get('synth-lab-data') ?? [];
    others.delete('synth-lab-data');
    others.delete(null);

    expect(new Set(others.keys())).toEqual(new Set(['@mikro-orm/core', '@mikro-orm/migrations']));
    expect(others.get('@mikro-orm/core')).toHaveLength(1);
    expect(ours.length).toBeLessThan(30);
  });

  test('loads nothing that only some services or the command line use', async () => {
    const loaded = await modulesOf('synth-lab-data');
    const folders = await foldersIn(loaded.filter((url) => packageOf(url) === 'synth-lab-data'));

    expect(folders).toContain('database/units');
    expect(
      [...folders].filter((folder) =>
        /^(?:cli|embedded|fastify|legacy-import|loading|migrator|testing)\b|^database\/doctor/.test(folder),
      ),
    ).toEqual([]);
  });
});

describe('a start to the first row', () => {
  test('leaves zod, TLS and OpenTelemetry to the services that use them', async () => {
    const database = await TestDatabase.create();
    try {
      const { imported, opened, written } = await loadedBy(database.url);

      expect(imported).toMatchObject({ telemetry: false, zod: false });
      expect(imported.node).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(?:fs\/promises|tls|worker_threads)$/)]),
      );
      expect(opened).toMatchObject({ telemetry: false, zod: false });
      expect(opened.node).toContain('net');
      expect(opened.node).not.toContain('tls');
      expect(written.zod).toBe(true);
    } finally {
      await database.drop();
    }
  });
});
