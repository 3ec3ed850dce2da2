// Close codes: whether to come back after one, and what it means for a person.

/** The relay takes the connection for nobody's. */
export const NOT_AUTHORISED = 4001;

/** This user has all the connections that it may have. */
export const TOO_MANY = 4009;

/** After these the relay would close the next one too. */
const FINAL = new Set([1002, 1007, 1008, 1009, NOT_AUTHORISED, TOO_MANY]);

const MEANINGS = new Map([
  [1001, 'The relay leaves.'],
  [1006, 'The connection was lost.'],
  [1011, 'The relay had a fault.'],
  [4008, 'This page did not keep up with the lines.'],
  [NOT_AUTHORISED, 'The token is not, or no longer, taken. Sign in again.'],
  [TOO_MANY, 'This user has all the connections that it may have. End one of them.'],
]);

/** Whether to connect again after `code`. */
export function comesBack(code) {
  return !FINAL.has(code);
}

/** Why it was closed, as a sentence. */
export function meaning(code) {
  return MEANINGS.get(code) ?? `The relay closed the connection (${code}).`;
}
