/** The driver's `query`, called with a text and values. */
export type SendQuery = (...given: unknown[]) => unknown;

/**
 * Returns the result of a query, taken by a callback. Rows that arrive by the driver's own promise outlive V8's minor collections (pg
 * 8.23, Node 24: see `--trace-gc`), and moving them takes a quarter of the time of reading many.
 */
export function sendQuery(send: SendQuery, [text, values]: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    send(text, values, (error: Error | null, result: unknown) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}
