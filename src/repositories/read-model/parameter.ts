/** Stands for a value while a statement is written. */
export class Parameter {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}
