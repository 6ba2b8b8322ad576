export { handleError } from './handle-error.ts';
export { synthLabData, type SynthLabDataOptions } from './plugin.ts';
