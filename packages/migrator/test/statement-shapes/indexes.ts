import { anywhere, never, outside, type Shape } from './shape.ts';

const table = (name: string): string[] => [
  `create table ${name} (id int primary key, a int, b text)`,
  `insert into ${name} select n, n % 5, 'x' || n from generate_series(1, 20) n`,
];
const partitioned = (name: string): string[] => [
  `create table ${name} (id int primary key) partition by range (id)`,
  `create table ${name}_1 partition of ${name} default`,
];

export const indexes: readonly Shape[] = [
  // Before a `vacuum` that a transaction refuses.
  anywhere('analyze counted', ...table('counted')),
  anywhere('analyze verbose counted_column (a)', ...table('counted_column')),
  anywhere('analyze'),
  anywhere('create index on unnamed (a)', ...table('unnamed')),
  anywhere(
    `create unique index if not exists partial_idx on partial using btree (a desc nulls last, lower(b) text_pattern_ops) include (id) with (fillfactor = 50) where a > 100`,
    ...table('partial'),
  ),
  anywhere('create index only_idx on only only_parent (id)', ...partitioned('only_parent')),
  outside('create index concurrently online_idx on online (a)', ...table('online')),
  outside(
    'create unique index concurrently if not exists online_unique_idx on online_unique (id, a)',
    ...table('online_unique'),
  ),
  {
    ...never('rows', 'create unique index concurrently twice_idx on twice (a)', ...table('twice')),
    fails: '23505',
    undo: ['drop index if exists twice_idx'],
  },
  anywhere(
    'alter index renamed_idx rename to renamed_idx_now',
    ...table('renamed'),
    'create index renamed_idx on renamed (a)',
  ),
  anywhere(
    'alter index set_idx set (fillfactor = 60)',
    ...table('set_options'),
    'create index set_idx on set_options (a)',
  ),
  anywhere(
    'alter index joined_idx attach partition joined_1_idx',
    ...partitioned('joined'),
    'create index joined_idx on only joined (id)',
    'create index joined_1_idx on joined_1 (id)',
  ),
  anywhere(
    'alter index depending_idx depends on extension citext',
    'create extension if not exists citext',
    ...table('depending'),
    'create index depending_idx on depending (a)',
  ),
  anywhere(
    `comment on index commented_idx is 'an index'`,
    ...table('commented'),
    'create index commented_idx on commented (a)',
  ),
  anywhere('drop index dropped_idx', ...table('dropped'), 'create index dropped_idx on dropped (a)'),
  outside(
    'drop index concurrently dropped_online_idx',
    ...table('dropped_online'),
    'create index dropped_online_idx on dropped_online (a)',
  ),
  anywhere('reindex index built_idx', ...table('built'), 'create index built_idx on built (a)'),
  anywhere('reindex (verbose) table built_table', ...table('built_table')),
  outside('reindex table concurrently built_online', ...table('built_online')),
  outside(
    'reindex (concurrently, verbose) index built_online_idx',
    ...table('built_online_index'),
    'create index built_online_idx on built_online_index (a)',
  ),
  outside('reindex table built_parts', ...partitioned('built_parts')),
  outside('reindex index built_part_index_pkey', ...partitioned('built_part_index')),
  outside(
    'reindex schema built_schema',
    'create schema built_schema',
    'create table built_schema.t (id int primary key)',
  ),
  outside(
    'reindex schema concurrently built_schema_online',
    'create schema built_schema_online',
    'create table built_schema_online.t (id int primary key)',
  ),
  anywhere(
    'cluster ordered using ordered_idx',
    ...table('ordered'),
    'create index ordered_idx on ordered (b)',
  ),
  anywhere(
    'cluster (verbose) ordered_again',
    ...table('ordered_again'),
    'alter table ordered_again cluster on ordered_again_pkey',
  ),
  {
    ...outside('cluster ordered_parts using ordered_parts_pkey', ...partitioned('ordered_parts')),
    since: 15,
  },
  outside('vacuum cleaned', ...table('cleaned')),
  outside('vacuum (full, freeze, analyze) cleaned_fully', ...table('cleaned_fully')),
  outside('vacuum (parallel 0, index_cleanup off, truncate false) cleaned_so', ...table('cleaned_so')),
  outside('vacuum full verbose analyze cleaned_old (a)', ...table('cleaned_old')),
  anywhere(
    'create statistics combined (dependencies, ndistinct, mcv) on a, id from described',
    ...table('described'),
  ),
  anywhere(
    'create statistics if not exists expressed on (a % 2), lower(b) from described_expressions',
    ...table('described_expressions'),
  ),
  anywhere(
    'alter statistics targeted set statistics 500',
    ...table('targeted_table'),
    'create statistics targeted on a, id from targeted_table',
  ),
  anywhere(
    'alter statistics renamed_statistics rename to renamed_statistics_now',
    ...table('renamed_described'),
    'create statistics renamed_statistics on a, id from renamed_described',
  ),
  anywhere(
    'drop statistics dropped_statistics',
    ...table('undescribed'),
    'create statistics dropped_statistics on a, id from undescribed',
  ),
  anywhere(
    `comment on statistics commented_statistics is 'statistics'`,
    ...table('commented_described'),
    'create statistics commented_statistics on a, id from commented_described',
  ),
  // These change what others measure.
  { ...outside('reindex database "{db}"'), needs: ['open transactions', 'false'] },
  { ...outside('reindex system "{db}"'), needs: ['open transactions', 'false'] },
  {
    ...outside(
      'cluster (verbose)',
      ...table('ordered_all'),
      'alter table ordered_all cluster on ordered_all_pkey',
    ),
    since: 17,
  },
  outside('cluster'),
  outside('vacuum'),
];
