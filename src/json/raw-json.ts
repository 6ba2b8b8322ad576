/**
 * JSON as it is to be written, such as a number with more digits than JavaScript's have: `rawJSON` makes it, and `isRawJSON` knows it.
 */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node has both, the compiler's library not yet
export const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON: (text: string) => object;
  isRawJSON: (value: unknown) => boolean;
};
