import { describe, expect, test } from 'vitest';
import { findRowChange } from '../../src/sql/changes-rows.ts';

describe('what a statement does to rows', () => {
  test.each([
    `insert into a values (1)`,
    `INSERT INTO a SELECT 1`,
    `update a set b = 1`,
    `delete from a`,
    `merge into a using b on a.id = b.id when matched then update set c = 1`,
    `truncate a`,
    `copy a from program 'x'`,
    `create table a as select 1`,
    `select 1 into a`,
    `create table a as execute p`,
    `with moved as (delete from a returning *) insert into b select * from moved`,
    `with moved as (delete from a returning *) select * from moved`,
    `select * from (values (1)) v; update a set b = 1`,
    `create table a (id int); insert into a values (1)`,
    `/* comment */ insert into a values (1)`,
  ])('%s changes rows', async (sql) => {
    expect(await findRowChange(sql)).toBe('changes rows');
  });

  test.each([
    `do $$ begin update a set b = 1; end $$`,
    `call p()`,
    `select setval('s', 5)`,
    `select f() from a`,
    `execute p`,
    `a text that the grammar does not know: do`,
  ])('%s runs code', async (sql) => {
    expect(await findRowChange(sql)).toBe('runs code');
  });

  test.each([
    `create table a (id int default 1)`,
    `create table a as select 1 with no data`,
    `create materialized view a as select 1`,
    `create view a as select 1`,
    `create function f() returns int language sql as 'insert into a values (1)'`,
    `create rule r as on insert to a do instead nothing`,
    `create trigger t before update on a execute function f()`,
    `grant insert, update on a to b`,
    `comment on table a is 'insert into a'`,
    `select 1`,
    `copy a to stdout`,
    `alter table a add foreign key (b) references c on delete cascade`,
    '',
  ])('%s does neither', async (sql) => {
    expect(await findRowChange(sql)).toBeNull();
  });
});
