import { MikroORM } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import { driverOptionsOf } from '../../session/driver-options.ts';

/** The messages that a server sent to the connections of an ORM. */
export class Messages {
  #received: string[] = [];

  add(message: string): void {
    this.#received.push(message);
  }

  /** Returns what was received since the last call. */
  take(): readonly string[] {
    const received = this.#received;
    this.#received = [];
    return received;
  }
}

/** Runs `work` with an ORM of the same database, whose connections collect the messages that the server sends. */
export async function withMessages<T>(
  scratch: MikroORM,
  work: (orm: MikroORM, messages: Messages) => Promise<T>,
): Promise<T> {
  const messages = new Messages();
  const configuration = scratch.config.getAll();
  const options = driverOptionsOf(configuration) ?? {};
  const orm = await MikroORM.init({
    ...configuration,
    driverOptions: {
      ...options,
      onPoolCreated(pool: Pool) {
        pool.on('connect', (client) => {
          client.on('notice', ({ message = '' }) => messages.add(message));
        });
        return options.onPoolCreated?.(pool);
      },
    },
  });
  try {
    return await work(orm, messages);
  } finally {
    await orm.close(true);
  }
}
