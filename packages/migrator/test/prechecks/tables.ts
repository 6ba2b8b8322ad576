/** How many rows the largest tables have. */
const rowCount = Number(process.env['PRECHECK_ROWS'] ?? 1_000);

/** Tables whose columns have known faults: `item` has `rowCount` rows, its names tell which. */
export const tables = `
  create extension if not exists btree_gist;
  create domain percent as int;
  create domain label as text constraint label_short check (length(value) < 40);
  create type mood as enum ('good', 'bad');
  create function twice(n int) returns int language sql immutable as 'select 2 * n';
  create table author (id int primary key, code text unique, name text);
  insert into author select i, 'a' || i, 'author ' || i from generate_series(1, 45) i;
  create table place (country text, city text, primary key (country, city));
  insert into place select 'x' || i % 3, 'y' || i from generate_series(0, 29) i;
  create table item (
    id int primary key, some_null text, no_null text, some_equal text, no_equal text, equal_case text, equal_or_null text,
    orphan int, no_orphan int, country text, city text, parent int, some_negative int, positive int,
    some_words text, all_numbers text, some_long text, some_big bigint, price numeric(12, 2), feeling text, some_feeling text,
    room int, during int4range, apart int4range, share percent, tag label, at timestamptz, doc text, half text);
  insert into item select i, case when i % 100 <> 0 then 'n' || i end, 'n' || i,
    case when i <= 10 then 'e' || i % 5 else 'u' || i end, 'u' || i, case when i % 500 = 1 then 'X' || i / 1000 else 'x' || i end,
    case when i % 250 <> 0 then 'n' || i end, nullif(i % 50, 7), nullif(i % 45 + 1, 9),
    case when i % 10 < 8 then 'x' || i % 3 end, case when i % 10 < 7 then 'y' || i % 31 end,
    case when i = 5 then -1 when i > 10 then i - 10 end, i - 5, i,
    case when i % 200 = 0 then 'n/a' else i::text end, i::text, repeat('x', i % 12), case when i <= 3 then 3000000000 else i end,
    i * 10.5, (array['good', 'bad'])[i % 2 + 1], case when i % 300 = 0 then 'odd' else 'good' end,
    i / 10, int4range(i % 10 * 2, i % 10 * 2 + case when i % 100 = 4 then 3 else 2 end), int4range(i % 10, i % 10 + 1),
    i % 102, 't' || i, timestamptz '2026-01-01Z' + i * interval '1 minute', case when i % 400 = 0 then '{' else '{"a":1}' end,
    case when i % 2 = 0 then 'h' end
    from generate_series(1, ${rowCount}) i;
  alter table item add constraint item_not_valid check (some_negative > 0) not valid;
  alter table item add constraint item_author foreign key (orphan) references author not valid;
  alter domain percent add constraint percent_max check (value <= 100) not valid;
  create table event (id int, year int, name text) partition by range (year);
  create table event_2025 partition of event for values from (2025) to (2026);
  create table event_other partition of event default;
  insert into event select i, 2024 + i % 4, 'e' || i from generate_series(1, ${rowCount}) i;
  create table old_event (id int, year int not null, name text);
  insert into old_event select i, case when i % 125 = 0 then 2031 else 2030 end, 'o' || i from generate_series(1, ${rowCount}) i;
  create table sort (id int, kind text) partition by list (kind);
  create table sort_a (id int, kind text);
  insert into sort_a select i, case when i % 50 = 0 then null when i % 75 = 0 then 'b' else 'a' end from generate_series(1, ${rowCount}) i;
  create table spread (id int) partition by hash (id);
  create table spread_0 (id int);
  insert into spread_0 select i from generate_series(1, ${rowCount}) i;
  create table empty_one (id int, ref int, name text);
  create table child (id int primary key, author int references author on delete cascade, note text);
  insert into child select i, i % 45 + 1, case when i % 45 + 1 = 45 then null else 'n' end from generate_series(1, ${rowCount}) i;
  create table audited (id int primary key, note text);
  insert into audited select i, null from generate_series(1, 5) i;
  create function repair() returns trigger language plpgsql as
    $$ begin update item set some_null = 'was null' where some_null is null; return null; end $$;
  create trigger repairs after update on audited execute function repair();
  create function repair_all() returns void language sql as $$ update item set some_null = 'was null' where some_null is null $$;
  create table base (id int, note text);
  create table derived () inherits (base);
  insert into base select i, 'n' from generate_series(1, 10) i;
  insert into derived select i, null from generate_series(1, ${rowCount}) i;
  analyze;`;
