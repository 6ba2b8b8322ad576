export { checkArguments, checksArguments } from './check-arguments.ts';
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
export { Limit, pageRequest, stretchRequest } from './pages.ts';
export { newRow, rowMethods } from './rows.ts';
