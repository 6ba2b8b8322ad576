import { openDatabase } from '../../../src/index.ts';
import * as factories from '../../../src/testing/factories.ts';
import { workloadOf } from './workload.ts';

/** The workload of the checkout, for `migrate verify --traffic-new`. */
export const openWorkload = workloadOf({ openDatabase, factories });
