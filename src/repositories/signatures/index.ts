export { checkArguments, type RepositoryClass, type Signatures } from './check-arguments.ts';
export { Instant, Integer, Key, nullable, FiniteNumber, oneOf, optional, Text } from './check.ts';
export {
  byStatus,
  document,
  documentList,
  documentWith,
  fields,
  arrayOf,
  recordOf,
  type FieldChecks,
} from './containers.ts';
export {
  locks,
  reads,
  stages,
  streams,
  synchronous,
  writes,
  type Effect,
  type Signature,
} from './effects.ts';
export { cursorOf, Limit, pageOf, streamOf } from './pages.ts';
export { newRow, rowMethods } from './rows.ts';
