/** A statement that is not sent: the client that has the transaction answers it with itself. */
export const identifyClient = '-- identify client';
