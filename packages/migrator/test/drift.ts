/** Manual changes of the drift project's schema, and how check describes them. They are independent of each other. */
export const drifts: readonly (readonly [kind: string, sql: string, ...lines: string[]])[] = [
  [
    'a column that was added',
    'alter table customer add column nickname text',
    'table customer: column nickname: in the database, not made by the migrations',
  ],
  [
    'a column that was dropped',
    'alter table customer drop column email',
    'table customer: column email: not in the database, made by the migrations',
  ],
  [
    'a type',
    'alter table customer alter phone type varchar(20)',
    'table customer: column phone: type character varying(20) in the database, text by the migrations',
  ],
  [
    'a default',
    `alter table product alter name set default 'nameless'`,
    `table product: column name: default 'nameless'::text in the database, 'unnamed'::text by the migrations`,
  ],
  [
    'nullability',
    'alter table product alter price drop not null',
    'table product: column price: not null none in the database, yes by the migrations',
  ],
  [
    'a comment',
    `comment on column product.price is 'after tax'`,
    'table product: column price: comment after tax in the database, before tax by the migrations',
  ],
  [
    'an identity',
    'alter table product alter id set generated always',
    'table product: column id: identity always in the database, by default by the migrations',
  ],
  [
    'an index that was changed',
    'drop index product_by_name; create index product_by_name on product (name)',
    'table product: index product_by_name: definition …NG btree (name) in the database, ' +
      '…NG btree (name) WHERE (price > (0)::numeric) by the migrations',
  ],
  [
    'an index that was added',
    'create index on sale (id)',
    'table sale: index sale_id_idx: in the database, not made by the migrations',
    'table sale_2020: index sale_2020_id_idx: in the database, not made by the migrations',
  ],
  [
    'an index of a partitioned table',
    'drop index sale_by_date; create index sale_by_date on sale (at desc)',
    'table sale: index sale_by_date: definition …USING btree (at DESC) in the database, …USING btree (at) by the migrations',
    'table sale_2020: index sale_2020_at_idx: definition …USING btree (at DESC) in the database, …USING btree (at) by the migrations',
  ],
  [
    'an index that is invalid',
    `update pg_index set indisvalid = false where indexrelid = 'product_by_price'::regclass`,
    'table product: index product_by_price: is invalid in the database, none by the migrations',
  ],
  [
    'a check',
    'alter table product drop constraint price_not_negative, add constraint price_not_negative check (price > 0)',
    'table product: constraint price_not_negative: definition CHECK ((price > (0)::numeric)) in the database, ' +
      'CHECK ((price >= (0)::numeric)) by the migrations',
  ],
  [
    'the rule of a foreign key, and that it was not validated',
    `alter table stock.item drop constraint item_of_product,
       add constraint item_of_product foreign key (product_id) references product on delete set null not valid`,
    'table stock.item: constraint item_of_product: definition …(id) ON DELETE SET NULL NOT VALID in the database, ' +
      '…(id) ON DELETE CASCADE by the migrations',
  ],
  [
    'whether a key is deferrable',
    'alter table stock.item drop constraint item_once, add constraint item_once unique (product_id, amount)',
    'table stock.item: constraint item_once: definition UNIQUE (product_id, amount) in the database, ' +
      'UNIQUE (product_id, amount) DEFERRABLE by the migrations',
  ],
  [
    'a trigger that was dropped',
    'drop trigger touched on customer',
    'table customer: trigger touched: not in the database, made by the migrations',
  ],
  [
    'a trigger that was disabled',
    'alter table product disable trigger touched',
    'table product: trigger touched: is disabled in the database, none by the migrations',
  ],
  [
    'the body of a function',
    'create or replace function touch() returns trigger language plpgsql as $$ begin return null; end $$',
    'function touch(): definition … begin return null; end $function$ in the database, ' +
      '… begin return new; end $function$ by the migrations',
  ],
  [
    'an aggregate',
    'drop aggregate biggest(int); create aggregate biggest(int) (sfunc = int4smaller, stype = int)',
    'aggregate biggest(integer): state function int4smaller in the database, int4larger by the migrations',
  ],
  [
    'a procedure that was dropped',
    'drop procedure tidy()',
    'procedure tidy(): not in the database, made by the migrations',
  ],
  [
    'a table that was added',
    'create table extra (id serial primary key)',
    'table extra: in the database, not made by the migrations',
  ],
  [
    'a schema that was added',
    'create schema extra',
    'schema extra: in the database, not made by the migrations',
  ],
  [
    'a view that was changed',
    'create or replace view cheap as select 20 as price',
    'view cheap: definition SELECT 20 AS price; in the database, SELECT 10 AS price; by the migrations',
  ],
  [
    'a materialized view that was dropped',
    'drop materialized view totals',
    'materialized view totals: not in the database, made by the migrations',
  ],
  [
    'a sequence',
    'alter sequence invoice_numbers increment 5 cycle',
    'sequence invoice_numbers: cycle yes in the database, none by the migrations',
    'sequence invoice_numbers: increment 5 in the database, 1 by the migrations',
  ],
  [
    'a sequence of a column',
    'alter sequence customer_id_seq maxvalue 1000',
    'table customer: sequence customer_id_seq: maximum 1000 in the database, 2147483647 by the migrations',
  ],
  [
    'a value of an enum',
    `alter type size add value 'medium' before 'large'`,
    `type size: values 'small', 'medium', 'large' in the database, 'small', 'large' by the migrations`,
  ],
  [
    'a domain',
    'alter domain quantity add constraint at_most check (value < 1000)',
    'type quantity: constraint at_most: in the database, not made by the migrations',
  ],
  [
    'a composite type',
    'alter type stock.place add attribute box int',
    'type stock.place: column box: in the database, not made by the migrations',
  ],
  [
    'row security',
    'alter table customer disable row level security',
    'table customer: row security none in the database, enabled by the migrations',
  ],
  [
    'a policy',
    'alter policy own_row on customer using (true)',
    'table customer: policy own_row: using true in the database, ((name)::text = CURRENT_USER) by the migrations',
  ],
  [
    'whom a policy is for',
    'alter policy all_rows on customer to pg_monitor',
    'table customer: policy all_rows: roles pg_monitor in the database, public by the migrations',
  ],
  [
    'privileges on a table',
    'revoke select on product from public; grant insert on product to pg_monitor with grant option',
    'table product: privilege INSERT of pg_monitor with grant option in the database, none by the migrations',
    'table product: privilege SELECT of public none in the database, granted by the migrations',
  ],
  [
    'privileges on a column',
    'grant update (name) on product to pg_monitor',
    'table product: column name: privilege UPDATE of pg_monitor granted in the database, none by the migrations',
  ],
  [
    'privileges on a schema',
    'grant usage on schema stock to public',
    'schema stock: privilege USAGE of public granted in the database, none by the migrations',
  ],
  [
    'options of a table',
    'alter table customer set (fillfactor = 70)',
    'table customer: options fillfactor=70 in the database, none by the migrations',
  ],
  [
    'replica identity',
    'alter table stock.item replica identity full',
    'table stock.item: replica identity full in the database, none by the migrations',
  ],
  [
    'storage',
    'alter table product alter name set storage external',
    'table product: column name: storage e in the database, none by the migrations',
  ],
  [
    'a table that is unlogged',
    'alter table stock.item set unlogged',
    'table stock.item: persistence unlogged in the database, none by the migrations',
  ],
  [
    'a partition that was detached',
    'alter table sale detach partition sale_2020',
    `table sale_2020: inherits none in the database, public.sale by the migrations`,
    `table sale_2020: partition bound none in the database, FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') by the migrations`,
  ],
  [
    'statistics',
    'drop statistics product_facts',
    'table product: statistics product_facts: not in the database, made by the migrations',
  ],
  [
    'a rule',
    'drop rule nothing_of_it on sale',
    'table sale: rule nothing_of_it: not in the database, made by the migrations',
  ],
];
