import type { ObservedStatement } from '../observation/observed-statement.ts';
import type { Rule } from './rule.ts';
import { alone } from './safe-form.ts';

export const schemaRules: readonly Rule[] = [
  {
    name: 'foreign-key-without-index',
    does: 'Adds a foreign key whose columns begin no index of their table, by the end of the migration.',
    locks: 'None more than the key itself.',
    why: 'Each delete or change of a key in the referenced table reads all of the referencing one, with the row locked.',
    unsafe: {
      up: [
        'alter table orders add constraint orders_customer foreign key (customer_id) references customers (id) not valid',
      ],
    },
    safe: [
      { up: ['create index concurrently orders_customer_id on orders (customer_id)'], transactional: false },
      {
        up: [
          'alter table orders add constraint orders_customer foreign key (customer_id) references customers (id) not valid',
        ],
      },
    ],
    find: (statement) => {
      const { before, after } = statement.observation;
      const { final } = statement.migration;
      return [...after.constraints.values()]
        .filter(({ oid, type }) => type === 'f' && !before.constraints.has(oid) && final.constraints.has(oid))
        .filter(
          ({ relation, columns }) =>
            ![...final.indexes.values()].some(
              (index) =>
                index.relation === relation &&
                !index.isPartial &&
                columns.every((number) => index.columns.slice(0, columns.length).includes(number)),
            ),
        )
        .map(({ quoted, relation, columns }) => {
          const table = statement.label(relation);
          const names = columns.map((number) => after.columns.get(`${relation}.${number}`)?.quoted ?? '');
          return {
            object: `constraint ${quoted} of ${table}`,
            table: null,
            safe: statement.isExisting(relation)
              ? alone(`create index concurrently on ${table} (${names.join(', ')});`)
              : `create index on ${table} (${names.join(', ')});`,
          };
        });
    },
  },
  {
    name: 'check-never-settles',
    does: 'Adds a CHECK in a form that PostgreSQL prints in one way now, and in another after a dump and restore.',
    locks: 'None more than the check itself.',
    why: 'What compares schemas by their printed form, as the ORM does, reports a difference on every run: the restored database never prints what the migration creates. Write the form that PostgreSQL keeps.',
    unsafe: {
      up: [`alter table customers add constraint customers_name check (name in ('a', 'b')) not valid`],
    },
    safe: [
      {
        up: [
          `alter table customers add constraint customers_name check (name::text in ('a'::text, 'b'::text)) not valid`,
        ],
      },
    ],
    find: (statement) => {
      const { after, unsettled } = statement.observation;
      return [...unsettled].flatMap(([oid, definition]) => {
        const check = after.constraints.get(oid);
        if (!check) return [];
        const table = statement.label(check.relation);
        return [
          {
            object: `constraint ${check.quoted} of ${table}`,
            table: null,
            safe: `alter table ${table} add constraint ${check.quoted} ${definition};`,
          },
        ];
      });
    },
  },
  {
    name: 'identifier-too-long',
    does: 'Uses a name of more than 63 bytes.',
    locks: 'None.',
    why: 'PostgreSQL cuts it without an error. Two names may become one, and what compares names reports a difference on every run.',
    unsafe: {
      up: [
        `comment on column orders.note is null; create table a_name_that_is_much_longer_than_the_sixty_three_bytes_that_fit_into_it ()`,
      ],
    },
    safe: [{ up: ['create table a_name_that_fits ()'] }],
    find: (statement: ObservedStatement) =>
      statement.observation.longNames.map((name) => ({
        object: `name ${name}`,
        table: null,
        safe: `-- at most 63 bytes: ${cut(name)}`,
      })),
  },
];

function cut(name: string): string {
  return Buffer.from(name.replace(/^"|"$/g, '')).subarray(0, 63).toString('utf8').replace(/�$/, '');
}
