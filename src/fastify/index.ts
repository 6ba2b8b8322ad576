export { answerErrors } from './answer-errors.ts';
export { synthLabData, type SynthLabDataOptions } from './plugin.ts';
