import { readCatalog } from '../src/catalog/catalog.ts';
import type { TestDatabase } from './kit/database.ts';
import { readRows } from './kit/read-rows.ts';
import type { Written } from './squash-project.ts';

/** What a database holds that a migration made. */
export async function made({ orm }: TestDatabase) {
  return { catalog: await readCatalog(orm), rows: await readRows(orm.em) };
}

const odd = String.raw`insert into note (body) values ('back\slash, ${'`'}tick${'`'}, ${'${'}not a template}, ☃')`;

/** Migrations whose statements have what a generated file must escape. */
export const chain = {
  tables: {
    up: [
      'create table note (id serial primary key, body text not null)',
      `create function stamp() returns trigger language plpgsql as $$
  begin
    new.body := new.body || E'\n\t.'; -- a comment;
    return new;
  end
$$`,
      'create trigger stamp before insert on note for each row execute function stamp()',
    ],
    down: ['drop table note', 'drop function stamp'],
  },
  data: {
    up: [odd, `insert into note (body) values ('carriage\rreturn'), ('line\r\nend') -- twice`],
    down: ['truncate note restart identity'],
  },
  views: {
    up: ['create view notes as select id, body from note', `comment on view notes is 'all of them'`],
    down: ['drop view notes'],
  },
} satisfies Record<string, Written>;
