import { UnderscoreNamingStrategy, type NamingStrategy } from '@mikro-orm/core';
import { ConstraintNaming } from '../../postgres/orm/constraint-naming.ts';
import { isOurTable } from '../../postgres/orm/entities/our-entities.ts';

/**
 * Returns a naming strategy that applies `ConstraintNaming` to our tables, and `Service` to all others: adding our entities renames
 * nothing in the tables of a service.
 */
export function serviceNaming(
  Service: new () => NamingStrategy = UnderscoreNamingStrategy,
): new () => NamingStrategy {
  const ours = new ConstraintNaming();
  return class ServiceNaming extends Service {
    override indexName(...given: Parameters<ConstraintNaming['indexName']>): string {
      return isOurTable(given[0]) ? ours.indexName(...given) : super.indexName(...given);
    }
  };
}
