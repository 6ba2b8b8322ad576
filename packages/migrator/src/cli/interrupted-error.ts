/** The user interrupted a question (Ctrl-C); nothing was changed. */
export class InterruptedError extends Error {}
