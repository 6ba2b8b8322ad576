/** A value can't be stored in its column. The message says why, as a predicate ("is not a string"), and never holds the value. */
export class ConversionError extends Error {}
