import type { MikroORM } from '@mikro-orm/postgresql';

/** Where a command works, for people. */
export interface Place {
  /** `user@host:port/database`. */
  readonly database: string;
  /** A name, an address, or the directory of a unix socket. */
  readonly host: string;
}

/** What the commands need of the command line that they are part of. */
export interface CommandHost<P extends Place = Place> {
  /** What each line on standard error begins with. */
  readonly name: string;
  /** Where a created migration has to be listed, for the remedy of one that is not. */
  readonly migrationList: string;
  /** Runs `work` on the configured database and closes the connections, also after an error. */
  withDatabase<T>(work: (orm: MikroORM, place: P) => Promise<T>): Promise<T>;
  /** Runs `work` with the configuration alone; nothing is connected to. */
  withoutDatabase<T>(work: (orm: MikroORM) => Promise<T>): Promise<T>;
  /** Returns the line that says which database a command works on. */
  describe(place: P): string;
  /** Returns the last line of `up`, such as how to connect with psql; null for none. */
  nextStep(place: P): string | null;
  /** Whether a database, by its name on the server, is one for development: going back asks for no name there. */
  isForDevelopment(place: P, name: string): boolean;
  /** Returns a message with commands and options as the caller types them. */
  inCallersTerms(message: string): string;
  /** Returns the command as it was typed, with `--confirm name` added: text to paste into a shell. */
  confirmedCommand(name: string): string;
  /** Called with the path of a migration that `create` wrote. */
  onCreated(path: string): Promise<void>;
}
