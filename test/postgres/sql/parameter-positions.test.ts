import { describe, expect, test } from 'vitest';
import { parameterPositions } from '../../../src/postgres/sql/parameter-positions.ts';
import { splitPlaceholders } from '../../../src/postgres/sql/placeholders.ts';

/** Returns a statement with `$` for each value that becomes a parameter, and `?` for each that stays in the text. */
function marked(sql: string): string {
  const template = splitPlaceholders(sql);
  const found = parameterPositions(template);
  return template.texts
    .map((text, index) => text + (index === found.length ? '' : found[index] === true ? '$' : '?'))
    .join('');
}

const accepted = [
  'select "e0".* from "t" as "e0" where "e0"."a" = $ and "e0"."b" != $ and ("e0"."c" >= $ or "e0"."c" is null)',
  'select 1 from t where a in ($, $) and b not in ($) and (a, b) in (($, $), ($, $)) and (a, b) = ($, $)',
  'select 1 from t where a like $ and b ilike $ and c ~ $ and d ~* $ and e @> $ and f <@ $ and g && $',
  'select 1 from t where a not like $ and b = any($) and lower(a) = lower($) and c between $ and $',
  `select 1 from t where a->>'k' = $ and (a->'n'->>'k')::float8 > $::int`,
  'select 1 from t left join u on t.a = u.a and u.b = $ where exists (select 1 from v where v.a = $ limit 1) limit ?',
  'select count(distinct "e0"."id") as "count" from "t" as "e0" where not ("e0"."a" = $)',
  'select 1 from t where id in (select id from (select id from u where a = $ group by id order by min(b) limit ? offset ?) as "e")',
  'select 1 from t where id in ((select id from u where a = $) union all (select id from u where b = $))',
  'select a, count(*) from t where b = $ group by a having count(*) > $ order by a',
  'select * from (select a from t where b = $) x where x.a = $ for update of x skip locked',
  'with x as (select a from t where b = $) select a from x where a = $',
  'insert into "t" ("a", "b") values ($, $), ($, default) returning "a"',
  'insert into t (a) values (($)), ($::jsonb)',
  'insert into t (a, b) values ($, $) on conflict (a) do update set b = excluded.b, c = $ where t.d < $',
  'insert into t (a) values ($) on conflict do nothing',
  'update "t" set "a" = $, "b" = "b" + 1, "c" = $ where "id" = $ and "b" = $ returning "b"',
  'update t set a = case when ("id" = $) then $ when ("id" = $) then $ else "a" end where "id" in ($, $)',
  'update t set a = $ from u where u.a = t.a and u.b = $',
  'delete from t where a = $',
  'delete from t using u where u.a = $;',
  String.raw`select 1 from t where a ~ '^\d+' and b = E'\'' and d = $`,
  'with x as (insert into t (a) values ($) returning a) select a into temp u from x where a != $',
  '/* of a test: ? */ select 1 from t where a = $ -- and ?',
];

const refused = [
  // The grammar has a literal.
  `select 1 from t where a > now() - interval ?`,
  'select 1 from t where a = date ?',
  'select 1 from t where extract(? from a) = $',
  'select 1 from t where a = cast(1 as numeric(?, ?))',
  // The type of a parameter would be unknown.
  'select 1 from t where a = jsonb_build_object(?, ?) and b = concat(?)',
  'select 1 from t where (? is null or a = $)',
  'select 1 from t where a in (? is null)',
  'select 1 from t where a = any(array[?])',
  'select 1 from t where row(?) = row(?)',
  // Equal expressions must be recognized.
  'select a = ? from t group by a = ?',
  'select date_trunc(?, a) from t group by date_trunc(?, a) having date_trunc(?, a) > ?',
  'select distinct on (a = ?) a from t order by a = ?, a',
  'select (select max(b) from u where c = ?) from t where a = $',
  'select x::timestamp with time zone, a = ? from t',
  'select a is distinct from b, a = ? from t',
  'select a as "from", a as where, a = ? from t where a = $',
  'select count(*) filter (where a = ?) from t',
  'insert into t (a) values ($) on conflict (a) where b = ? do update set a = $ where t.a = $',
  // Not certain, and seldom.
  'select ? as x',
  'select set_config(?, ?, true)',
  'select * from generate_series(?, ?) x',
  'select 1 from t where a->? = $',
  'select 1 from t where a + ? > b - ?',
  'select 1 from t where a = -?',
  'insert into t (a) values (point(?, ?))',
  'insert into t (a) select ? from u where b = $',
];

const left = [
  'create table t (a text default ?)',
  'do ?',
  'set x = ?',
  'explain select 1 from t where a = ?',
  'select 1 from t where a = ?; delete from t where a = ?',
  'select 1 from t where a = $1 and b = ?',
  String.raw`select 1 from t where a = 'x\' and b = ?`,
  `select 1 from t where a = ? and b = 'x`,
  'select 1 from t where a = ?) and b = ?',
  'select 1 from t where a = ?x',
  'select 1 from t where a=?1',
  'select 1 from t where a = x?',
  `select 1 from t where a = 'x?'`,
  'select "x?" from t',
];

/** A case as the ORM's text: each value is a `?`. */
const asGiven = (sql: string): string => sql.replaceAll('$', '?');

describe('a value is sent as a parameter', () => {
  test.each(accepted)('%s', (sql) => {
    expect(marked(asGiven(sql))).toBe(sql);
  });
});

describe('a value stays in the text', () => {
  test.each(refused)('%s', (sql) => {
    expect(marked(asGiven(sql))).toBe(sql);
  });

  test.each(left)('with all others: %s', (sql) => {
    expect(marked(sql)).toBe(sql);
  });
});

test('operators with a question mark are not placeholders', () => {
  expect(marked(String.raw`select 1 from t where a \? ? and b \?| ? and c \?& ?`)).toBe(
    'select 1 from t where a ? $ and b ?| $ and c ?& $',
  );
});
