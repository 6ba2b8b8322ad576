import { describe, expect, test } from 'vitest';
import type { Certificate } from 'mikro-orm-safe-migrations';
import type { Migrations } from './project.ts';
import { findingsOf } from './verify/run.ts';

import { certificateOf } from './verify/certificate-of.ts';

const withNote = {
  up: ['alter table person add nick text'],
  down: ['alter table person drop nick'],
};

describe('a certificate', () => {
  test.each<
    [what: string, last: Migrations[string], certificate: Certificate['certificate'], finds: string[]]
  >([
    ['of a new index', { up: ['create index i on person (name)'], down: ['drop index i'] }, 'lossless', []],
    [
      'of a new index, made concurrently',
      {
        up: ['create index concurrently i on person (name)'],
        down: ['drop index concurrently i'],
        transactional: false,
      },
      'lossless',
      [],
    ],
    ['of a new column', withNote, 'failed', ['loses person.nick']],
    [
      'of a new column that is declared',
      { ...withNote, loses: ['person.nick: dropped'] },
      'lossy as declared',
      [],
    ],
    [
      'of a new column whose table is declared',
      { ...withNote, loses: ['person: all'] },
      'lossy as declared',
      [],
    ],
    [
      'of another column that is declared',
      { ...withNote, loses: ['person.name: dropped'] },
      'failed',
      ['loses person.nick'],
    ],
    [
      'without a way back',
      { up: ['alter table person drop note'], down: null },
      'failed',
      ["fails: it has no down: write one, or declare static irreversible = 'why'", 'loses person.note'],
    ],
    [
      'without a way back, as declared',
      {
        up: ['alter table person drop note'],
        down: null,
        irreversible: 'no code reads notes',
        loses: ['person.note: dropped'],
      },
      'irreversible as declared',
      [],
    ],
    [
      'of rows that up refuses',
      {
        up: ['alter table person alter note set not null'],
        down: ['alter table person alter note drop not null'],
      },
      'failed',
      ['refuses person.note'],
    ],
    [
      'of rows that up refuses, as declared',
      {
        up: ['alter table person alter note set not null'],
        down: ['alter table person alter note drop not null'],
        refuses: ['person.note: there are none'],
      },
      'lossless',
      [],
    ],
    [
      'of statements that fail',
      { up: ['create index i on person (name)'], down: ['drop index j'] },
      'failed',
      ['fails: down fails without rows: index "j" does not exist (42704) at "drop index j"'],
    ],
    [
      'of code that raises an exception for a row',
      {
        up: [
          `do $$ begin if exists (select from person where note = 'stop') then raise exception 'no'; end if; end $$`,
        ],
      },
      'failed',
      ['refuses person'],
    ],
  ])('%s', async (_, last, expected, finds) => {
    const certificate = await certificateOf(last);

    expect(findingsOf(certificate)).toEqual(finds);
    expect(certificate.certificate).toBe(expected);
  });

  test('keeps what up and what down refuses apart', async () => {
    const certificate = await certificateOf({
      up: ['alter table person alter name type varchar(100)'],
      down: ['alter table person alter name type varchar(40)'],
    });

    expect(certificate.refusesUp).toMatchObject([{ object: 'person.name', declared: null }]);
    expect(certificate.refusesDown).toMatchObject([{ object: 'person.name', declared: null }]);
  });

  test('names declarations that no row confirms, and does not fail for them', async () => {
    const certificate = await certificateOf({
      up: ['create index i on person (name)'],
      down: ['drop index i'],
      loses: ['person.note: it is dropped'],
    });

    expect(certificate).toMatchObject({
      certificate: 'lossless',
      notSeen: ['person.note: it is dropped'],
    });
  });

  test('names tables for which no row can be made', async () => {
    const certificate = await certificateOf(
      { up: ['create index i on never (id)'], down: ['drop index i'] },
      { M1: { up: ['create table never (id int not null check (id > 5 and id < 3))'] } },
    );

    expect(certificate).toMatchObject({ certificate: 'lossless', notCovered: ['never'] });
  });

  test('says in which direction and row a value was changed', async () => {
    const certificate = await certificateOf({ up: ['update person set name = upper(name)'] });

    expect(certificate.loses).toMatchObject([
      { object: 'person.name', what: expect.stringMatching(/^".*" becomes ".*"$/), declared: null },
    ]);
    expect(certificate.loses[0]?.rows).toBeGreaterThan(3);
  });
});
