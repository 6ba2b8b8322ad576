import { InvalidValueError } from '../../errors.ts';

/**
 * Returns the number of bytes of the write-ahead log before a position in PostgreSQL's notation (`16/B374D848`).
 *
 * @throws InvalidValueError when it is not a position.
 */
export function walBytes(position: string): bigint {
  const [, high, low] = /^([0-9a-f]{1,8})\/([0-9a-f]{1,8})$/i.exec(position) ?? [];
  if (high === undefined || low === undefined) {
    throw new InvalidValueError(
      `${JSON.stringify(position.slice(0, 40))} is not a position in the write-ahead log; pass the \`position\` of \`transact\`, such as "16/B374D848"`,
      {},
    );
  }
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
