import { defineEntity, p, type InferEntity } from '@mikro-orm/core';

/** An entity of a service, with a column of each kind that the ORM writes. */
export const Kinds = defineEntity({
  name: 'Kinds',
  tableName: 'kinds',
  properties: {
    id: p.string().primary(),
    text: p.text().nullable(),
    short: p.string().length(20).nullable(),
    mood: p.enum(['sad', "it's ok"]).nullable(),
    count: p.integer().nullable(),
    big: p.bigint().nullable(),
    share: p.double().nullable(),
    price: p.decimal().precision(20).scale(4).nullable(),
    isOn: p.boolean().nullable(),
    bytes: p.blob().nullable(),
    document: p.json<Record<string, unknown>>().nullable(),
    at: p.datetime(3).nullable(),
    day: p.date().nullable(),
    tags: p.array().nullable(),
    key: p.uuid().nullable(),
    version: p.integer().version().default(1),
  },
});

export type Kinds = InferEntity<typeof Kinds>;

export const createKinds = `create table kinds (
  id varchar(255) primary key, text text, short varchar(20), mood text check (mood in ('sad', 'it''s ok')), count integer, big bigint,
  share double precision, price numeric(20, 4), is_on boolean, bytes bytea, document jsonb, at timestamptz(3), day date, tags text[],
  key uuid, version integer not null default 1)`;
