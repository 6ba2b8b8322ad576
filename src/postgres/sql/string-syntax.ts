import type { Connection } from 'pg';

/** The string syntax of a connection. The server reports the setting at login, and whenever a statement changes it. */
export class StringSyntax {
  #standardStrings = true;

  constructor(connection: Connection) {
    connection.on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) => {
      if (parameterName === 'standard_conforming_strings') this.#standardStrings = parameterValue !== 'off';
    });
  }

  /** Whether a backslash in a plain string is a character like any other. */
  get standardStrings(): boolean {
    return this.#standardStrings;
  }
}

interface ParameterStatus {
  readonly parameterName: string;
  readonly parameterValue: string;
}
