// Compiled by `tsc`, never run: each mistake below must stay a compile error.
import type { Experiment } from '../../src/entities.ts';
import {
  document,
  fields,
  Integer,
  Key,
  nullable,
  oneOf,
  optional,
  reads,
  stages,
  streams,
  synchronous,
  Text,
  writes,
  type Signatures,
} from '../../src/repositories/signatures/index.ts';

interface Option {
  readonly deleted?: 'hidden' | 'included' | undefined;
}

declare class Repository {
  find(key: string, option?: Option): Promise<null>;
  save(key: string, document: { [name: string]: unknown } | null): Promise<void>;
  stage(count: number): Experiment;
  stream(key: string): AsyncIterableIterator<Experiment>;
  protected rows(): void;
}

const deleted = optional(oneOf(['hidden', 'included']));
const right = {
  find: reads({ key: Key }, { option: optional(fields<Option>({ deleted })) }),
  save: writes({ key: Key }, { document: nullable(document<{ [name: string]: unknown }>()) }),
  stage: synchronous(stages({ count: Integer })),
  stream: streams({ key: Key }),
} satisfies Signatures<Repository>;
const { find, save } = right;

export const mistakes = [
  // @ts-expect-error -- `stage` has no signature
  { find, save } satisfies Signatures<Repository>,
  // @ts-expect-error -- there is no such method
  { ...right, forget: reads() } satisfies Signatures<Repository>,
  // @ts-expect-error -- an argument is missing
  { ...right, find: reads({ key: Key }) } satisfies Signatures<Repository>,
  // @ts-expect-error -- a key is a text
  { ...right, find: reads({ key: Integer }, find.parameters[1]) } satisfies Signatures<Repository>,
  // @ts-expect-error -- null clears the document
  { ...right, save: writes({ key: Key }, { document: document<object>() }) } satisfies Signatures<Repository>,
  // @ts-expect-error -- it returns no promise
  { ...right, stage: stages({ count: Integer }) } satisfies Signatures<Repository>,
  // @ts-expect-error -- it returns a stream
  { ...right, stream: synchronous(reads({ key: Key })) } satisfies Signatures<Repository>,
  // @ts-expect-error -- it returns no stream
  { ...right, stage: streams({ count: Integer }) } satisfies Signatures<Repository>,
  // @ts-expect-error -- it returns a promise
  { ...right, find: synchronous(find) } satisfies Signatures<Repository>,
];

// What only reads is a matter of the signature, whatever the name.
type Reads = {
  [Method in keyof typeof right]: (typeof right)[Method]['effect'] extends 'reads' ? Method : never;
};
'find' satisfies Reads[keyof Reads];
// @ts-expect-error -- it writes
'save' satisfies Reads[keyof Reads];

// @ts-expect-error -- a word is missing
fields<Option>({ deleted: optional(oneOf(['hidden'])) });
// @ts-expect-error -- a field is missing
fields<Option & { limit?: number | undefined }>({ deleted });
// @ts-expect-error -- there is no such field
fields<Option>({ deleted, text: optional(Text) });
