import { InvalidValueError } from '../../errors.ts';

/**
 * How many bytes of the write-ahead log come before a position, as PostgreSQL writes it (`16/B374D848`).
 *
 * @throws InvalidValueError when it is none.
 */
export function walBytes(position: string): bigint {
  const [, high, low] = /^([0-9a-f]{1,8})\/([0-9a-f]{1,8})$/i.exec(position) ?? [];
  if (high === undefined || low === undefined) {
    throw new InvalidValueError(
      `${JSON.stringify(position.slice(0, 40))} is no position in the write-ahead log; give what \`transact\` gave, such as "16/B374D848"`,
      {},
    );
  }
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
