/**
 * `node call.ts <index.ts> <method> <options as JSON>`: one call of EmbeddedPostgres in a process of its own, whose
 * outcome is printed as JSON.
 */
const [, , index = '', method = '', options = '{}'] = process.argv;
const { EmbeddedPostgres } = await import(index);
try {
  const server = await EmbeddedPostgres[method](JSON.parse(options));
  console.log(JSON.stringify({ server: server ?? null }));
} catch (error) {
  if (!(error instanceof Error)) throw error;
  console.log(
    JSON.stringify({
      error: { name: error.name, code: 'code' in error ? error.code : undefined, message: error.message },
    }),
  );
}
