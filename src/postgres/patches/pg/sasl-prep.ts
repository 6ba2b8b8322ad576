import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { Client } from 'pg';

// A password with one of these code points is used by PostgreSQL unchanged, rather than prepared by SASLprep (RFC 4013): those that Unicode
// 3.2 did not have, such as most emoji, and those that the RFC prohibits (RFC 3454, tables A.1, C.2 to C.4, C.6 to C.9; without those of B.1
// and C.1.2, which are mapped first). Each range is its distance from the end of the previous one and, after a `+`, its length minus one, in
// base 36.
const ranges = `
  3k+v aq j+r 2n+1 1s+g 1t+1 f+f h+3 3+3 2+2 2+4 8 2 l 19 14+8 3s 20 13+1 3+5 h+w 13+1 8 14 3+5 i o b+a s+4 6+m 2+d 2+2 2 r+4
  n+9 3i h+1 g f+1 u+2 s+1g 1f+9a 4 1i+1 j+1 6+2 q+f 4 9+1 3+1 n 8 2+2 5+1 2 8+1 3+1 4+8 2+3 3 6+1 m+6 2+1 7+3 3+1 n 8 3 3 3+1
  2 6+3 3+1 4+a 5 2+6 g+b 4 8 2 4 n 8 3 6+1 b 4 4+1 2+e 2+4 b+g 4 9+1 3+1 n 8 3+1 5+1 9+2 3+1 4+7 3+3 3 4+3 c+g 3 7+2 4 5+2 3
  2 3+2 3+2 4+2 9 4+3 6+2 4 5+8 2+e d+d 4 9 4 o b 6+3 8 4 5+6 3+8 3+3 b+h 3 9 4 o b 6+3 8 4 5+6 3+6 2 3+3 b+h 3 9 4 o h+3 7+1
  4 5+8 2+7 3+3 b+h 3 j+2 p a 2+1 8+2 2+3 7 2 9+h 4+b 1n+3 u+10 3 2+1 3 2+1 2+5 5 8 4 2 2+1 3 e 4+1 6 2 7+1 b+1 3+x 21 z+5 s+3
  9 11 g+1 2+1b z 6 3 8+2 5+5 r+1x 13+9 16+1 2+3 2j+4 1x+4 2b+5 8 1s 2 5+1 8 2 5+1 14 2 5+1 w 2 5+1 8 2 5+1 8 8 o w 2 5+1 8 14
  k+5 t+y 2e+b hj+8 u+2 2a+e e 8+a o+8 l+b e 4 3+b 2m+2 b+l f+1 b+5 2h+7 17+11x 4d+3 2j+5 n+1 7+1 13+1 7+1 9 2 2 2 w+1 1i g
  f+1 7 k+1 4 a f+1 p+6 11+3 2+6 3+e 3+1 s+g j+t s+k 1o+1 g+6 1e+b g0+1c 14+o c+k 4g 7p+1 3 2u+1 b+3a 5 5+1 t 10 2 5+2 2 8+1
  1h+2 p f+g t+3 lt+ov r 2i+b 5z+15 1t 2f+1 2w+4 15+3 2n 15+1j 1a+2 11+c 18+2 26+3 1c 3c+3 2s+1 w 52v+21 g4n+2h we+2 1k+1fc
  8md+2j 1kx+4xr 8f+1 1o+44 8+b 6+4 r 6 2 3 3 31+w a6+f 1t+1 1j+13 e+2 h+f 5+b o+1 b k 5+3 6 3s+1 2 5b+2 7+1 7+1 7+1 4+2 8
  8+ls w 5+b s+50 13+1 13+148h 6v+9 14+2 22+7 2s+f5 2e 20 3+1 2+1 3+1 5 d 2 5 3 1u 5+1 9 8 t 5 6 2+2 8 9f+3 83+3 1f+7wf
  wyg+g14 f3+jp41
`;

/** Members that the driver's types lack (pg 8.23.0, lib/client.js and lib/crypto/sasl.js). */
interface Internals {
  readonly password: unknown;
  readonly saslSession: { readonly clientNonce: string; serverSignature: string };
  readonly connection: {
    on(event: 'authenticationSASLContinue', listener: (message: { readonly data: string }) => void): void;
    sendSCRAMClientFinalMessage(response: string): void;
  };
}

/**
 * Makes `client` log in by SCRAM with a password that the server uses unchanged. The driver applies SASLprep to every password, which removes
 * the joiners of composed emoji: the server would refuse such a password (28P01).
 */
export function correctSaslPrep(client: Client): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same class, with members that its types lack
  const internals = client as unknown as Internals;
  const { connection } = internals;
  let challenge = '';
  connection.on('authenticationSASLContinue', ({ data }) => void (challenge = data));
  const send = connection.sendSCRAMClientFinalMessage.bind(connection);
  connection.sendSCRAMClientFinalMessage = (response) => {
    const { password, saslSession } = internals;
    if (typeof password !== 'string' || !isStoredUnprepared(password)) return send(response);
    const withoutProof = response.replace(/,p=[^,]*$/, '');
    const authMessage = `n=*,r=${saslSession.clientNonce},${challenge},${withoutProof}`;
    const { proof, serverSignature } = scram(password, challenge, authMessage);
    saslSession.serverSignature = serverSignature;
    send(`${withoutProof},p=${proof}`);
  };
}

/** Returns the client's proof of the password and the expected signature of the server (RFC 5802, section 3). */
function scram(
  password: string,
  challenge: string,
  authMessage: string,
): { readonly proof: string; readonly serverSignature: string } {
  // The driver has checked that the number of iterations is not too high.
  const [, salt = '', iterations = '1'] = /,s=([^,]+),i=(\d+)/.exec(challenge) ?? [];
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const signature = hmac(createHash('sha256').update(clientKey).digest(), authMessage);
  return {
    proof: Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))).toString('base64'),
    serverSignature: hmac(hmac(salted, 'Server Key'), authMessage).toString('base64'),
  };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

let pattern: RegExp | undefined;

function isStoredUnprepared(password: string): boolean {
  pattern ??= new RegExp(`[${characterClass(ranges)}]`, 'u');
  return pattern.test(password);
}

/** Returns the ranges as the content of a character class in a regular expression. */
function characterClass(coded: string): string {
  let end = 0;
  return coded
    .trim()
    .split(/\s+/)
    .map((range) => {
      const [distance = '', more = '0'] = range.split('+');
      const first = end + Number.parseInt(distance, 36);
      end = first + Number.parseInt(more, 36);
      return `\\u{${first.toString(16)}}-\\u{${end.toString(16)}}`;
    })
    .join('');
}
