/** `rawJSON` wraps a JSON text that is written unchanged, such as a number with more digits than JavaScript's; `isRawJSON` recognizes it. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node has both, the compiler's library not yet
export const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON: (text: string) => object;
  isRawJSON: (value: unknown) => boolean;
};
