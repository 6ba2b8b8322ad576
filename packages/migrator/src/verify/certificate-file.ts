import { readFile } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';
import { MigrationRefusedError } from '../session/errors.ts';
import type { Certificate } from './certificate.ts';

/** What a file of `verify --certificate` says of a migration. */
export type KeptCertificate = Pick<Certificate, 'migration' | 'certificate' | 'checksum'>;

/**
 * Reads a file of `verify --certificate`, by the names of the migrations.
 *
 * @throws MigrationRefusedError when it can't be read, or has another form.
 */
export async function readCertificates(path: string): Promise<ReadonlyMap<string, KeptCertificate>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw refusal(path, `can't be read: ${isNativeError(cause) ? cause.message : String(cause)}`, cause);
  });
  const list = parsed(path, text);
  if (!Array.isArray(list) || !list.every(isKept))
    throw refusal(path, 'is no list of certificates', undefined);
  return new Map(list.map((one) => [one.migration, one]));
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refusal(path, 'is no JSON', cause);
  }
}

function refusal(path: string, why: string, cause: unknown): MigrationRefusedError {
  return new MigrationRefusedError(`${path} ${why}: write it with verify --certificate ${path}`, { cause });
}

function isKept(value: unknown): value is KeptCertificate {
  return (
    typeof value === 'object' &&
    value !== null &&
    'migration' in value &&
    typeof value.migration === 'string' &&
    'certificate' in value &&
    typeof value.certificate === 'string' &&
    'checksum' in value &&
    (value.checksum === null || typeof value.checksum === 'string')
  );
}
