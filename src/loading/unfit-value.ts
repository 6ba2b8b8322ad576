/** Why a value can't be stored, in words that do not hold it. */
export class UnfitValue extends Error {}
