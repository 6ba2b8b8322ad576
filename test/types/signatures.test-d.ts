// Compiled by `tsc`, never run: each mistake below must stay a compile error.
import type { Experiment } from '../../src/entities/index.ts';
import {
  checkArguments,
  document,
  fields,
  Integer,
  Key,
  nullable,
  oneOf,
  optional,
  Text,
} from '../../src/repositories/signatures/index.ts';

interface Option {
  readonly deleted?: 'hidden' | 'included' | undefined;
}

declare class Repository {
  find(key: string, option?: Option): Promise<null>;
  save(key: string, document: { [name: string]: unknown } | null): Promise<void>;
  stage(count: number): Experiment;
  protected rows(): void;
}

const deleted = optional(oneOf(['hidden', 'included']));
const right = {
  find: [{ key: Key }, { option: optional(fields<Option>({ deleted })) }],
  save: [{ key: Key }, { document: nullable(document<{ [name: string]: unknown }>()) }],
  stage: { synchronous: [{ count: Integer }] },
} as const;
checkArguments(Repository, right);
const { find, save, stage } = right;

// @ts-expect-error -- `stage` has no signature
checkArguments(Repository, { find, save });
// @ts-expect-error -- an argument is missing
checkArguments(Repository, { find: [{ key: Key }], save, stage });
// @ts-expect-error -- a key is a text
checkArguments(Repository, { ...right, find: [{ key: Integer }, find[1]] });
const never = [{ key: Key }, { document: document<{ [name: string]: unknown }>() }] as const;
// @ts-expect-error -- null clears the document
checkArguments(Repository, { ...right, save: never });
// @ts-expect-error -- it returns no promise
checkArguments(Repository, { ...right, stage: stage.synchronous });
// @ts-expect-error -- a word is missing
fields<Option>({ deleted: optional(oneOf(['hidden'])) });
// @ts-expect-error -- a field is missing
fields<Option & { limit?: number | undefined }>({ deleted });
// @ts-expect-error -- there is no such field
fields<Option>({ deleted, text: optional(Text) });
