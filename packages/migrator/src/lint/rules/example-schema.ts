/** The schema that the examples of the rules' pages change. */
export const exampleSchema: readonly string[] = [
  `create type order_state as enum ('new', 'sent')`,
  'create domain amount as numeric(12, 2)',
  'create table customers (id bigint primary key, email text, name varchar(50))',
  `create table orders (
  id bigint primary key,
  customer_id bigint,
  number int,
  note text,
  total amount,
  state order_state,
  placed_at timestamptz,
  hours tstzrange
)`,
  'create index orders_placed_at on orders (placed_at)',
  'create view order_notes as select id, note from orders',
  'create materialized view order_totals as select customer_id, count(*) as orders from orders group by customer_id',
  'create unique index order_totals_customer_id on order_totals (customer_id)',
  'create table events (id bigint, day date) partition by range (day)',
  `create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01')`,
  'create table events_2026 (id bigint, day date)',
  'create schema archive',
  'create table archive.orders (id bigint)',
];
