/** The beginning of the comment of what is parked. Databases contain it, so it must never change. */
export const parkedMark = '{"parked": ';

/** The SQLSTATE of the errors that the statements of `park` and `unpark` raise, whose messages contain names alone. */
export const parkingState = 'PK000';

const mark = '-- parking ';

/** Returns a statement that parks or puts back, with its mark, which says what in JSON. Applied migrations contain it, so it must never change. */
export function markParking(options: object, sql: string): string {
  return `${mark}${JSON.stringify(options)}\n${sql}`;
}

/** Whether a statement is one of `park` or `unpark`. */
export function isParking(sql: string): boolean {
  return sql.startsWith(mark);
}

/** Returns the mark of a statement of `park` or `unpark`, and any other as it is: the rest of them may differ between versions. */
export function withoutParkingCode(sql: string): string {
  return isParking(sql) ? (sql.split('\n', 1)[0] ?? sql) : sql;
}
