import { SettingsError } from '../../errors.ts';

const quarter = 15 * 60_000;
const mostKept = 20_000;
const day = 86_400_000;

/** What a clock on a wall was at: minutes after UTC's in milliseconds, or why that can't be told. */
export type Offset = number | 'skipped' | 'repeated';

/** The zone that times without one are in. */
export class SourceTimeZone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  // Rows were written one after another, many in the same quarter of an hour.
  readonly #kept = new Map<number, Offset>();

  /** @throws SettingsError when `name` is neither a zone of the IANA database nor an offset such as `-03:00`. */
  constructor(name: string) {
    this.name = name;
    try {
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        calendar: 'iso8601',
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    } catch (cause) {
      throw new SettingsError(`"${name}" is no time zone; for example America/Sao_Paulo, UTC or -03:00`, {
        cause,
      });
    }
  }

  /** The offset of the time that a clock showed; `wall` is that time in milliseconds as if it were UTC. */
  offsetAt(wall: number): Offset {
    const begin = Math.floor(wall / quarter) * quarter;
    const kept = this.#kept.get(begin);
    if (kept !== undefined) return kept;
    const offset = this.#find(wall);
    // Clocks are set at a quarter of an hour, but not all of them were at all times.
    if (this.#find(begin) === offset && this.#find(begin + quarter - 1) === offset) {
      if (this.#kept.size >= mostKept) this.#kept.clear();
      this.#kept.set(begin, offset);
    }
    return offset;
  }

  #find(wall: number): Offset {
    const candidates = new Set([this.#at(wall - day), this.#at(wall + day)]);
    const [offset, another] = [...candidates].filter((candidate) => this.#at(wall - candidate) === candidate);
    if (offset === undefined) return 'skipped';
    return another === undefined ? offset : 'repeated';
  }

  #at(instant: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(instant)) part[type] = Number(value);
    const wall = new Date(0);
    wall.setUTCFullYear(part['year'] ?? 0, (part['month'] ?? 1) - 1, part['day'] ?? 1);
    wall.setUTCHours(part['hour'] ?? 0, part['minute'] ?? 0, part['second'] ?? 0);
    return wall.getTime() - Math.floor(instant / 1_000) * 1_000;
  }
}
