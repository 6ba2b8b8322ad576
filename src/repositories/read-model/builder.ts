import { expressionBuilder } from 'kysely';

/** The expression builder of any table: the declaration of a read model checks which columns an expression names. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
export const builder = expressionBuilder() as never;
