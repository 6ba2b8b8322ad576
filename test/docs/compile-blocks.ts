import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeBlocks } from './code-blocks.ts';

// What the blocks use without declaring it.
const given = `
  import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
  import type * as api from 'synth-lab-data';
  import type { Synth, SynthOutcome } from 'synth-lab-data/entities';
  import type * as loading from 'synth-lab-data/loading';
  import type * as note from './note.ts';

  declare global {
    const database: api.Database;
    const orm: MikroORM;
    const openDatabase: typeof api.openDatabase;
    const withSynthLab: typeof api.withSynthLab;
    const Note: typeof note.Note;
    const app: { readonly log: api.Logger };
    const work: () => Promise<void>;
    const show: () => Promise<void>;
    const optionalStep: (uow: api.UnitOfWork) => Promise<void>;
    const log: (error: unknown) => void;
    const id: string;
    const experimentId: string;
    const tenantId: string;
    const name: string;
    const rows: AsyncIterable<loading.LoadedRow<Synth>>;
    const outcomes: () => AsyncIterable<loading.LoadedRow<SynthOutcome>>;
    const config: loading.BackfillConfig;
    const facts: Parameters<typeof loading.backfillReferences>[2];
  }`;

// Files that the blocks import, and the options of the compiler that most projects have, NestJS's among them.
const files: Readonly<Record<string, string>> = {
  'given.ts': given,
  'note.ts': `
    import { defineEntity, p } from '@mikro-orm/core';
    import { Experiment } from 'synth-lab-data/entities';
    const NoteSchema = defineEntity({
      name: 'Note',
      properties: { id: p.uuid().primary().defaultRaw('uuidv7()'), text: p.text(), experiment: () => p.manyToOne(Experiment) },
    });
    export class Note extends NoteSchema.class {}`,
  'mikro-orm.config.ts': `export const config = {};`,
  'tsconfig.json': `{
    "include": ["*.ts"],
    "compilerOptions": {
      "strict": true,
      "module": "nodenext",
      "target": "esnext",
      "lib": ["esnext"],
      "types": ["node"],
      "noEmit": true,
      "skipLibCheck": true,
      "allowImportingTsExtensions": true,
      "experimentalDecorators": true
    }
  }`,
};

/**
 * Compiles every TypeScript block of the documentation in a new folder of a project that has installed the package. Returns how many there
 * are, and what the compiler reports, each line with the place of the block.
 */
export async function compileBlocks(project: string): Promise<{ blocks: number; errors: readonly string[] }> {
  const folder = join(project, 'blocks');
  await mkdir(folder);
  const blocks = codeBlocks
    .filter(({ language }) => language === 'ts')
    .map(({ place, code }) => {
      const [, name] = /^\/\/ (?:migrations\/)?([\w.-]+\.ts)\b/.exec(code) ?? [];
      return { place, code, name: name ?? `${place.replaceAll(/\W/g, '-')}.ts` };
    });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  for (const { name, code } of blocks) await writeFile(join(folder, name), `${code}\nexport {};\n`);

  const tsc = join(import.meta.dirname, '../../node_modules/.bin/tsc');
  const output = await promisify(execFile)(tsc, ['--project', folder, '--pretty', 'false']).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  );
  const errors = output.split('\n').filter((line) => line !== '');
  const placed = errors.map((line) => `${blocks.find(({ name }) => line.includes(name))?.place}: ${line}`);
  return { blocks: blocks.length, errors: placed };
}
