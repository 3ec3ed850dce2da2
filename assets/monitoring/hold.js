// Holds a call back, or lets it go: nobody hears or reads it meanwhile. Knows no page: it asks the relay and says what
// came of it.

/** What `hello` says of who is signed in: whether calls are theirs to hold back. */
export const mayHold = (user) => user?.role === 'admin' || (user?.allow ?? []).includes('pause');

/** Asks for it, `on` or off, by this token (null: nobody's): `{call}`, as it is then, or `{why}`. */
export async function hold(sid, on, token) {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const path = `/api/v1/calls/${sid}/${on ? 'pause' : 'resume'}`;
  let answer;
  try {
    answer = await fetch(path, { method: 'POST', headers, cache: 'no-store', credentials: 'omit' });
  } catch {
    return { why: 'The relay cannot be reached.' };
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return { call: said };
  switch (answer.status) {
    case 401: return { why: 'Your token is not valid any more.' };
    case 404: return { why: 'There is no such call any more.' };
    default: return { why: said.error?.message ?? `The relay answers with ${answer.status}.` };
  }
}
