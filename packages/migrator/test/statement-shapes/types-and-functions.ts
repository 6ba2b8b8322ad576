import { anywhere, type Shape } from './shape.ts';

const plainFunction = (name: string): string =>
  `create function ${name}(int) returns int language sql immutable return $1`;

export const typesAndFunctions: readonly Shape[] = [
  anywhere(`create type mood as enum ('sad', 'glad')`),
  anywhere(
    `alter type growing add value if not exists 'b' before 'c'`,
    `create type growing as enum ('a', 'c')`,
  ),
  anywhere(`alter type relabelled rename value 'a' to 'b'`, `create type relabelled as enum ('a', 'c')`),
  anywhere('create type span as range (subtype = float8, subtype_diff = float8mi)'),
  anywhere('create type shell'),
  anywhere(
    'create type based (input = based_in, output = based_out, internallength = 4, passedbyvalue, alignment = int4)',
    'create type based',
    `create function based_in(cstring) returns based language internal immutable strict as 'int4in'`,
    `create function based_out(based) returns cstring language internal immutable strict as 'int4out'`,
  ),
  anywhere(
    'alter type composite add attribute c int, alter attribute b type varchar(9) cascade',
    'create type composite as (a int, b text)',
  ),
  anywhere(
    'alter type composite_renamed rename attribute a to z',
    'create type composite_renamed as (a int)',
  ),
  anywhere(
    'alter type changed_base set (storage = main)',
    'create type changed_base',
    `create function changed_in(cstring) returns changed_base language internal immutable strict as 'textin'`,
    `create function changed_out(changed_base) returns cstring language internal immutable strict as 'textout'`,
    'create type changed_base (input = changed_in, output = changed_out, like = text)',
  ),
  anywhere('drop type if exists dropped_type cascade', 'create type dropped_type as (a int)'),
  anywhere(`create domain positive as int default 1 not null constraint over check (value > 0)`),
  anywhere(
    'alter domain limited add constraint low check (value < 100) not valid',
    'create domain limited as int',
  ),
  anywhere('alter domain defaulted set default 5', 'create domain defaulted as int'),
  anywhere('drop domain dropped_domain', 'create domain dropped_domain as int'),
  anywhere(`comment on type commented_type is 'a type'`, 'create type commented_type as (a int)'),
  anywhere(`comment on domain commented_domain is 'a domain'`, 'create domain commented_domain as int'),
  anywhere(
    `create or replace function added(a int, b int default 2, out total int) language plpgsql strict parallel safe cost 5 set work_mem = '1MB' as $f$ begin total := a + b; end $f$`,
  ),
  anywhere('create function atomic(a int) returns int language sql begin atomic select a + 1; end'),
  anywhere(
    'alter function altered(int) volatile security definer set search_path = pg_temp cost 10',
    plainFunction('altered'),
  ),
  anywhere('alter function renamed(int) rename to renamed_now', plainFunction('renamed')),
  anywhere(
    'alter routine moved(int) set schema types_elsewhere',
    'create schema types_elsewhere',
    plainFunction('moved'),
  ),
  anywhere(
    'alter function depending(int) depends on extension citext',
    'create extension if not exists citext',
    plainFunction('depending'),
  ),
  anywhere('drop function dropped(int)', plainFunction('dropped')),
  anywhere('drop routine dropped_routine(int)', plainFunction('dropped_routine')),
  anywhere(`create procedure stored(a int) language plpgsql as 'begin perform a; end'`),
  anywhere('drop procedure dropped_procedure', `create procedure dropped_procedure() language sql as ''`),
  anywhere(`comment on function commented(int) is 'a function'`, plainFunction('commented')),
  anywhere(
    'create aggregate summed(int) (sfunc = int4pl, stype = int, initcond = 0, combinefunc = int4pl, parallel = safe)',
  ),
  anywhere(
    'alter aggregate counted(int) rename to counted_now',
    'create aggregate counted(int) (sfunc = int4pl, stype = int)',
  ),
  anywhere(
    'drop aggregate dropped_aggregate(int)',
    'create aggregate dropped_aggregate(int) (sfunc = int4pl, stype = int)',
  ),
  anywhere('create operator === (leftarg = box, rightarg = box, function = box_same, commutator = ===)'),
  anywhere(
    'alter operator !== (box, box) set (restrict = neqsel)',
    'create operator !== (leftarg = box, rightarg = box, function = box_same)',
  ),
  anywhere(
    'drop operator ~== (box, box)',
    'create operator ~== (leftarg = box, rightarg = box, function = box_same)',
  ),
  anywhere(
    'create operator class int_ops for type int using btree as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int4, int4)',
  ),
  anywhere('create operator family numbers using btree'),
  anywhere(
    'alter operator family grown using btree add operator 1 < (int4, int2), function 1 btint42cmp(int4, int2)',
    'create operator family grown using btree',
  ),
  anywhere(
    'drop operator family dropped_family using btree',
    'create operator family dropped_family using btree',
  ),
  anywhere(
    'drop operator class dropped_ops using hash',
    'create operator class dropped_ops for type int using hash as operator 1 =, function 1 hashint4(int4)',
  ),
  anywhere(
    'create cast (castable as int) with function castable_int(castable) as assignment',
    'create type castable as (a int)',
    'create function castable_int(castable) returns int language sql immutable as $$ select ($1).a $$',
  ),
  anywhere(
    'drop cast (uncastable as text)',
    'create type uncastable as (a int)',
    'create cast (uncastable as text) with inout',
  ),
  anywhere(`create collation german (provider = icu, locale = 'de', deterministic = false)`),
  anywhere(
    'alter collation swiss refresh version',
    `create collation swiss (provider = icu, locale = 'de-CH')`,
  ),
  anywhere('drop collation dropped_collation', 'create collation dropped_collation from "C"'),
  anywhere(`create conversion latin for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8`),
  anywhere(
    'drop conversion dropped_conversion',
    `create conversion dropped_conversion for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8`,
  ),
  anywhere(
    'create transform for hstored language sql (from sql with function textlike_support(internal))',
    'create type hstored as (a int)',
  ),
  anywhere('drop transform if exists for int language sql'),
  anywhere('create access method heap_too type table handler heap_tableam_handler'),
  anywhere(
    'drop access method heap_dropped',
    'create access method heap_dropped type table handler heap_tableam_handler',
  ),
  anywhere(
    'create trusted language plsample handler plpgsql_call_handler inline plpgsql_inline_handler validator plpgsql_validator',
  ),
  anywhere(
    'alter language plrenamed rename to plrenamed_now',
    'create language plrenamed handler plpgsql_call_handler',
  ),
  anywhere('drop procedural language pldropped', 'create language pldropped handler plpgsql_call_handler'),
  anywhere(`create text search configuration english_too (copy = pg_catalog.english)`),
  anywhere(
    'alter text search configuration searched alter mapping for asciiword with simple',
    'create text search configuration searched (copy = simple)',
  ),
  anywhere(`create text search dictionary words (template = simple, stopwords = english)`),
  anywhere(
    'alter text search dictionary words_changed (accept = false)',
    'create text search dictionary words_changed (template = simple)',
  ),
  anywhere(
    'create text search parser parsed (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype)',
  ),
  anywhere('create text search template simple_too (init = dsimple_init, lexize = dsimple_lexize)'),
  anywhere(
    'drop text search configuration dropped_search',
    'create text search configuration dropped_search (copy = simple)',
  ),
  { sql: 'create assertion positive_rows check (true)', fails: '0A000' },
];
