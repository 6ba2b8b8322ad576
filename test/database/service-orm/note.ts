import { defineEntity, p } from '@mikro-orm/core';
import { Experiment } from '../../../src/entities.ts';

const NoteSchema = defineEntity({
  name: 'Note',
  tableName: 'notes',
  properties: {
    id: p.text().primary(),
    text: p.text().index(),
    experiment: () => p.manyToOne(Experiment).ref().nullable().deleteRule('cascade'),
    changed: p.datetime(3).version(),
  },
});

/** An entity that a service has of its own: what it notes of an experiment. */
export class Note extends NoteSchema.class {}
NoteSchema.setClass(Note);

/** Its table, as the ORM makes it for a service that does not have our configuration. */
export const createNotes = `
  create table notes (
    id text primary key,
    text text not null,
    experiment_id text null references experiments (id) on delete cascade,
    changed timestamptz(3) not null default current_timestamp(3));
  create index notes_text_index on notes (text);
  alter table notes rename constraint notes_experiment_id_fkey to notes_experiment_id_foreign;`;
