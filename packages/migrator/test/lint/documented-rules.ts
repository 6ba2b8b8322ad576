import type { Migrations } from '../project.ts';

type Step = { readonly up: readonly string[]; readonly transactional?: boolean };

/** The unsafe and the safe form that another linter documents for a rule. */
export interface DocumentedRule {
  readonly linter: 'strong_migrations' | 'squawk';
  readonly rule: string;
  readonly unsafe: Step;
  /** Our rules for the unsafe form; empty where we report nothing, for a reason. */
  readonly ours: readonly string[];
  readonly why?: string;
  /** Absent where the linter has none. */
  readonly safe?: readonly Step[];
}

/** What the forms change. */
export const documentedSchema: Migrations[string] = {
  up: [
    `create type mood as enum ('sad', 'ok')`,
    'create domain positive as int',
    'create table accounts (id bigint primary key, name text)',
    `create table users (
      id bigint primary key, name text, email varchar(20), number int, properties text, account_id bigint, proven int, rank positive,
      starts_at date, ends_at date, constraint proven_required check (proven is not null)
    )`,
    'create index users_name on users (name)',
    'create index users_account_id on users (account_id)',
    'create table days (id bigint, day date) partition by range (day)',
    `create table days_2025 partition of days for values from ('2025-01-01') to ('2026-01-01')`,
  ],
};

const transactional = (...up: string[]): Step => ({ up });
const apart = (...up: string[]): Step => ({ up, transactional: false });
const style = 'a matter of style: it locks nothing for long';
const done = 'the migrator does it';

const strongMigrations = (
  rule: string,
  unsafe: Step,
  ours: readonly string[],
  safe?: readonly Step[],
  why?: string,
): DocumentedRule => ({
  linter: 'strong_migrations',
  rule,
  unsafe,
  ours,
  ...(safe && { safe }),
  ...(why !== undefined && { why }),
});
const squawk = (
  rule: string,
  unsafe: Step,
  ours: readonly string[],
  safe?: readonly Step[],
  why?: string,
): DocumentedRule => ({ ...strongMigrations(rule, unsafe, ours, safe, why), linter: 'squawk' });

const index = apart('create index concurrently users_number on users (number)');
const uniqueIndex = apart('create unique index concurrently users_number_key on users (number)');

export const documentedRules: readonly DocumentedRule[] = [
  strongMigrations('removing a column', transactional('alter table users drop column name'), ['drop-column']),
  strongMigrations(
    'changing the type of a column',
    transactional('alter table users alter column number type text'),
    ['change-type'],
    [transactional('alter table users alter column email type varchar(40)')],
  ),
  strongMigrations(
    'changing the type of a column, to one without a limit',
    transactional('alter table users alter column properties type varchar(10)'),
    ['change-type'],
    [transactional('alter table users alter column email type text')],
  ),
  strongMigrations('renaming a column', transactional('alter table users rename column name to title'), [
    'rename-column',
  ]),
  strongMigrations('renaming a table', transactional('alter table users rename to customers'), [
    'rename-table',
  ]),
  strongMigrations(
    'renaming a schema',
    transactional('create schema old', 'alter schema old rename to new'),
    [],
    [],
    'nothing runs on a schema that the migration makes',
  ),
  strongMigrations(
    'creating a table with the force option',
    transactional('drop table if exists users cascade', 'create table users (id bigint primary key)'),
    ['drop-table'],
  ),
  strongMigrations(
    'adding an auto-incrementing column',
    transactional('alter table users add column position bigserial'),
    ['identity-column'],
  ),
  strongMigrations(
    'adding a stored generated column',
    transactional('alter table users add column twice int generated always as (number * 2) stored'),
    ['generated-column'],
    [transactional('alter table users add column twice int')],
  ),
  strongMigrations(
    'adding a check constraint',
    transactional('alter table users add constraint number_check check (number > 0)'),
    ['add-check'],
    [
      transactional('alter table users add constraint number_check check (number > 0) not valid'),
      transactional('alter table users validate constraint number_check'),
    ],
  ),
  strongMigrations(
    'backfilling data',
    transactional(`alter table users add column kind text`, `update users set kind = 'guest'`),
    ['whole-table-write', 'work-after-exclusive-lock'],
    [
      transactional('alter table users add column kind text'),
      transactional(`update users set kind = 'guest' where id = 1`),
    ],
  ),
  strongMigrations(
    'adding an index non-concurrently',
    transactional('create index users_number on users (number)'),
    ['create-index'],
    [index],
  ),
  strongMigrations(
    'adding a reference',
    transactional(
      'alter table users add column owner_id bigint',
      'create index users_owner_id on users (owner_id)',
    ),
    ['create-index', 'work-after-exclusive-lock'],
    [
      transactional('alter table users add column owner_id bigint'),
      apart('create index concurrently users_owner_id on users (owner_id)'),
    ],
  ),
  strongMigrations(
    'adding a foreign key',
    transactional('alter table users add constraint fk foreign key (account_id) references accounts (id)'),
    ['add-foreign-key'],
    [
      transactional(
        'alter table users add constraint fk foreign key (account_id) references accounts (id) not valid',
      ),
      transactional('alter table users validate constraint fk'),
    ],
  ),
  strongMigrations(
    'adding a unique constraint',
    transactional('alter table users add constraint users_number_key unique (number)'),
    ['add-unique'],
    [
      uniqueIndex,
      transactional('alter table users add constraint users_number_key unique using index users_number_key'),
    ],
  ),
  strongMigrations(
    'adding an exclusion constraint',
    transactional(
      'alter table users add constraint no_overlap exclude using gist (daterange(starts_at, ends_at) with &&)',
    ),
    ['add-exclusion'],
  ),
  strongMigrations(
    'adding a json column',
    transactional('alter table users add column document json'),
    ['json-column'],
    [transactional('alter table users add column document jsonb')],
  ),
  strongMigrations(
    'adding a column with a volatile default value',
    transactional('alter table users add column token uuid default gen_random_uuid()'),
    ['volatile-default'],
    [
      transactional(
        'alter table users add column token uuid',
        'alter table users alter column token set default gen_random_uuid()',
      ),
    ],
  ),
  strongMigrations(
    'setting NOT NULL on an existing column',
    transactional('alter table users alter column number set not null'),
    ['set-not-null'],
    [
      transactional('alter table users add constraint number_required check (number is not null) not valid'),
      transactional('alter table users validate constraint number_required'),
      transactional(
        'alter table users alter column number set not null',
        'alter table users drop constraint number_required',
      ),
    ],
  ),
  strongMigrations(
    'renaming a value of an enum',
    transactional(`alter type mood rename value 'sad' to 'unhappy'`),
    ['rename-enum-value'],
    [transactional(`alter type mood add value 'unhappy'`)],
  ),
  strongMigrations(
    'removing an index non-concurrently',
    transactional('drop index users_name'),
    ['drop-index'],
    [apart('drop index concurrently users_name')],
  ),
  strongMigrations(
    'keeping non-unique indexes to three columns',
    apart('create index concurrently four on users (name, email, number, account_id)'),
    [],
    [],
    style,
  ),
  squawk(
    'adding-field-with-default',
    transactional('alter table users add column at timestamptz default clock_timestamp()'),
    ['volatile-default'],
    [transactional('alter table users add column at timestamptz default now()')],
  ),
  squawk(
    'adding-foreign-key-constraint',
    transactional('alter table users add foreign key (account_id) references accounts (id)'),
    ['add-foreign-key'],
    [transactional('alter table users add foreign key (account_id) references accounts (id) not valid')],
  ),
  squawk(
    'adding-not-nullable-field',
    transactional('alter table users alter column number set not null'),
    ['set-not-null'],
    [transactional('alter table users alter column proven set not null')],
  ),
  squawk(
    'adding-required-field',
    transactional('alter table users add column kind text not null'),
    ['add-required-column'],
    [transactional(`alter table users add column kind text not null default 'guest'`)],
  ),
  squawk(
    'adding-serial-primary-key-field',
    transactional('alter table days_2025 add constraint days_key primary key (id)'),
    ['add-primary-key'],
  ),
  squawk(
    'ban-alter-domain-with-add-constraint',
    transactional('alter domain positive add constraint over_zero check (value > 0)'),
    ['alter-domain-constraint'],
  ),
  squawk(
    'ban-concurrent-index-creation-in-transaction',
    transactional('create index concurrently users_number on users (number)'),
    ['concurrently-in-transaction'],
    [index],
  ),
  squawk('ban-drop-column', transactional('alter table users drop column number'), ['drop-column']),
  squawk('ban-drop-table', transactional('drop table accounts'), ['drop-table']),
  squawk(
    'ban-drop-not-null',
    transactional('alter table users alter column number drop not null'),
    [],
    [],
    style,
  ),
  squawk('ban-truncate-cascade', transactional('truncate users cascade'), ['truncate']),
  squawk('ban-char-field', transactional('alter table users add column code char(4)'), [], [], style),
  squawk('prefer-bigint-over-int', transactional('alter table users add column visits int'), [], [], style),
  squawk('prefer-text-field', transactional('alter table users add column nick varchar(9)'), [], [], style),
  squawk('prefer-timestamptz', transactional('alter table users add column seen timestamp'), [], [], style),
  squawk('prefer-robust-stmts', transactional('alter table users add column nick text'), [], [], done),
  squawk('require-lock-timeout', transactional('alter table users add column nick text'), [], [], done),
  squawk(
    'changing-column-type',
    transactional('alter table users alter column number type bigint'),
    ['change-type'],
    [transactional('alter table users add column number_2 bigint')],
  ),
  squawk(
    'constraint-missing-not-valid',
    transactional('alter table users add constraint positive_number check (number > 0)'),
    ['add-check'],
    [transactional('alter table users add constraint positive_number check (number > 0) not valid')],
  ),
  squawk(
    'disallowed-unique-constraint',
    transactional('alter table users add unique (number)'),
    ['add-unique'],
    [
      uniqueIndex,
      transactional('alter table users add constraint users_number_key unique using index users_number_key'),
    ],
  ),
  squawk(
    'identifier-too-long',
    transactional(`alter table users add column ${'a'.repeat(70)} int`),
    ['identifier-too-long'],
    [transactional(`alter table users add column ${'a'.repeat(60)} int`)],
  ),
  squawk('renaming-column', transactional('alter table users rename number to count'), ['rename-column']),
  squawk('renaming-table', transactional('alter table accounts rename to clients'), ['rename-table']),
  squawk(
    'require-concurrent-index-creation',
    transactional('create index users_number on users (number)'),
    ['create-index'],
    [index],
  ),
  squawk(
    'require-concurrent-index-deletion',
    transactional('drop index users_name'),
    ['drop-index'],
    [apart('drop index concurrently users_name')],
  ),
  squawk(
    'require-concurrent-partition-detach',
    transactional('alter table days detach partition days_2025'),
    ['detach-partition'],
    [apart('alter table days detach partition days_2025 concurrently')],
  ),
  squawk(
    'require-concurrent-reindex',
    transactional('reindex index users_name'),
    ['reindex'],
    [apart('reindex index concurrently users_name')],
  ),
  squawk('prefer-repack', apart('vacuum full users'), ['vacuum-full']),
];
