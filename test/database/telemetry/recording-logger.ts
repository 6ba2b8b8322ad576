import type { Logger } from '../../../src/index.ts';

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A logger that records its lines. */
export class RecordingLogger implements Logger {
  readonly all: Line[] = [];

  debug(fields: object, message: string): void {
    this.all.push({ level: 'debug', message, fields: { ...fields } });
  }

  info(fields: object, message: string): void {
    this.all.push({ level: 'info', message, fields: { ...fields } });
  }

  warn(fields: object, message: string): void {
    this.all.push({ level: 'warn', message, fields: { ...fields } });
  }

  error(fields: object, message: string): void {
    this.all.push({ level: 'error', message, fields: { ...fields } });
  }

  of(message: string): Line[] {
    return this.all.filter((line) => line.message === message);
  }
}
