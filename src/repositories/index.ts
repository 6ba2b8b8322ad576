import './registration.ts';

// Every repository exports the types of its rows and requests: a new one is added to `repositories.ts` alone.
export * from './repositories.ts';
export type { DeletedOption } from './signatures/deleted-option.ts';
export type {
  CursorPage,
  CursorRequest,
  Page,
  PageRequest,
  PageTotal,
  StreamRequest,
} from './read-model/page.ts';
export type { RowStream } from './read-model/row-stream.ts';
