import { describeDrift, type SchemaDrift } from 'mikro-orm-safe-migrations';

/** The schema is what the last run left. */
export const noDrift: SchemaDrift = { unknown: null, differences: [] };

/** Returns the lines that report drift. */
export const linesOf = ({ differences }: SchemaDrift): string[] => differences.map(describeDrift);

/** A change by hand that the list of `check` lacks, and the lines that report it. */
export const moreDrifts: readonly (readonly [kind: string, sql: string, ...lines: string[]])[] = [
  [
    'a column that was renamed',
    'alter table customer rename phone to telephone',
    'table customer: column phone: missing',
    'table customer: column telephone: added',
  ],
  [
    'a table that was renamed',
    'alter table stock.item rename to items',
    'materialized view totals: definition SELECT count(*) AS n FROM stock.items; now, SELECT count(*) AS n FROM stock.item; before',
    'table stock.item: missing',
    'table stock.items: added',
  ],
  [
    'an index that was renamed',
    'alter index product_by_price rename to by_price',
    'table product: index by_price: added',
    'table product: index product_by_price: missing',
  ],
  [
    'an index that was dropped',
    'drop index product_by_name',
    'table product: index product_by_name: missing',
  ],
  [
    'the order of columns',
    'alter table customer drop email; alter table customer add email text',
    'table customer: order of columns id, name, phone, email now, id, name, email, phone before',
  ],
  [
    'a trigger for replicas',
    'alter table product enable always trigger touched',
    'table product: trigger touched: is always on now, none before',
  ],
  [
    'a foreign key that was dropped',
    'alter table stock.item drop constraint item_of_product',
    'table stock.item: constraint item_of_product: missing',
  ],
  [
    'the volatility of a function',
    'alter function touch() stable',
    'function touch(): definition …NGUAGE plpgsql STABLE AS $function$ begin return new; end $f… now, …NGUAGE plpgsql AS $function$ begin return new; end $function… before',
  ],
  [
    'a value of an enum that was renamed',
    `alter type size rename value 'large' to 'huge'`,
    `type size: values 'small', 'huge' now, 'small', 'large' before`,
  ],
  [
    'a partition',
    `create table sale_2021 partition of sale for values from ('2021-01-01') to ('2022-01-01')`,
    'table sale_2021: added',
  ],
  [
    'an option of a view',
    'alter view cheap set (security_barrier)',
    'view cheap: options security_barrier=true now, none before',
  ],
  [
    'row security for the owner',
    'alter table customer force row level security',
    'table customer: row security forced now, enabled before',
  ],
  [
    'a function of the same name',
    `create function touch(int) returns int language sql as 'select 1'`,
    'function touch(integer): added',
  ],
  ['a collation', `create collation stock.plain from "C"`, 'collation stock.plain: added'],
  [
    'an event trigger',
    `create function watch() returns event_trigger language plpgsql as 'begin end';
     create event trigger watched on ddl_command_end execute function watch()`,
    'event trigger watched: added',
    'function watch(): added',
  ],
  [
    'a comment of an index',
    `comment on index product_by_name is 'x'`,
    'table product: index product_by_name: comment x now, none before',
  ],
  [
    'a privilege on a function',
    'grant execute on function touch to pg_monitor',
    'function touch(): privilege EXECUTE of pg_monitor granted now, none before',
  ],
  [
    'a rule that was disabled',
    'alter table sale disable rule nothing_of_it',
    'table sale: rule nothing_of_it: is disabled now, none before',
  ],
];
