import type { UnitOfWork } from '@mikro-orm/core';

/** Keeps what is staged during a flush for the next one. The ORM empties its stacks when a flush has ended. */
export class MidFlushStaging {
  readonly #uow: UnitOfWork;
  #stacks: readonly LateStack[] | undefined;

  constructor(uow: UnitOfWork) {
    this.#uow = uow;
  }

  /** A flush begins. It ends when the ORM empties the stacks. */
  begin(): void {
    this.#stacks ??= [this.#uow.getPersistStack(), this.#uow.getRemoveStack()].map(
      (stack) => new LateStack(stack),
    );
    for (const stack of this.#stacks) stack.begin();
  }
}

class LateStack {
  readonly #late = new Set<object>();
  #isFlushing = false;

  constructor(stack: Set<object>) {
    const late = this.#late;
    const [add, remove, clear] = [stack.add.bind(stack), stack.delete.bind(stack), stack.clear.bind(stack)];
    Object.assign(stack, {
      add: (entity: object) => {
        if (this.#isFlushing) late.add(entity);
        return add(entity);
      },
      delete: (entity: object) => {
        late.delete(entity);
        return remove(entity);
      },
      clear: () => {
        clear();
        this.#isFlushing = false;
        for (const entity of late) add(entity);
        late.clear();
      },
    });
  }

  begin(): void {
    this.#isFlushing = true;
    this.#late.clear();
  }
}
