import { expect, test } from 'vitest';
import { emptyDatabase, migratorOn } from './kit/database.ts';

test('smoke', async () => {
  const db = await emptyDatabase();
  await db.orm.em.execute(`create table book (id int primary key, title text, author int, n text, e int);
    create table author (id int primary key);
    insert into author select generate_series(1, 5);
    insert into book select i, nullif('t' || i % 500, 't3'), i % 7, case when i % 10 = 0 then 'x' else i::text end, i from generate_series(1, 1000) i`);
  const up = [
    'alter table book alter title set not null',
    'create unique index book_title on book (lower(title)) where id > 10',
    'alter table book add foreign key (author) references author',
    'alter table book add constraint pos check (e > 5 and title is not null)',
    'alter table book alter n type int using (n::int)',
    'alter table book add column k int not null',
    'alter table book add primary key (title)',
    'alter table book add constraint ex exclude using gist (int4range(e / 2, e / 2 + 1) with &&)',
    'alter table book add unique (k)',
  ];
  const planned = await migratorOn(db, { M1: { up } }).planUp();
  console.log(planned[0]?.prechecks);
  await migratorOn(db, { M1: { up } }).up();
  expect(1).toBe(1);
});
