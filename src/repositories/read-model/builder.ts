import { expressionBuilder } from 'kysely';

/** Builds the expressions of any table: what they may name was checked where they were declared. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
export const builder = expressionBuilder() as never;
