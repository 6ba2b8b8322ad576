// In the registry that all realms, and all copies of this package, share.
const brand = Symbol.for('synth-lab-data.DataError');

/**
 * The base class of the package's errors. `code` is stable: use it in logs and to map errors to a transport. Where the package may be
 * loaded more than once, use `isDataError` and `code` instead of `instanceof`.
 */
export abstract class DataError extends Error {
  abstract readonly code: string;

  static {
    Object.defineProperty(this.prototype, brand, { value: true });
  }

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
