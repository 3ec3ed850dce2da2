// A ticket opens one connection within 60 s, since a browser cannot set a header on a WebSocket. The token is
// sent to the relay's own API and nowhere else.

/** How long the relay may take to answer, ms. */
const PATIENCE_MS = 10_000;

/**
 * Asks for a ticket. Never throws: `{ticket}`, or `{refused: why}` where the same token would be refused again,
 * or `{later: why, afterMs}`; `afterMs` is what the relay asked for, else null.
 */
export async function askTicket(fetch, origin, token, abort) {
  let response;
  try {
    response = await fetch(new URL('/api/v1/tickets', origin), {
      method: 'POST',
      headers: token ? { Authorization: `Bearer ${token}` } : {},
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.any ? AbortSignal.any([abort, AbortSignal.timeout(PATIENCE_MS)]) : abort,
    });
    if (response.ok) {
      const { ticket } = await response.json();
      if (typeof ticket === 'string' && ticket !== '') return { ticket };
      return { later: 'The relay gave no ticket.', afterMs: null };
    }
  } catch {
    return { later: 'The relay cannot be reached.', afterMs: null };
  }
  switch (response.status) {
    case 401:
      return { refused: 'The token is not, or no longer, taken. Sign in again.' };
    case 403:
      return { refused: 'The relay, or a proxy before it, does not let this page in (HTTP 403). Its operator may have to allow its origin.' };
    case 429:
    case 503:
      return { later: `The relay takes nobody now (HTTP ${response.status}).`, afterMs: retryAfterMs(response) };
    default:
      return { later: `The relay cannot be reached (HTTP ${response.status}).`, afterMs: retryAfterMs(response) };
  }
}

/** `Retry-After` in ms; a date, which no relay sends, is left to the back-off. */
function retryAfterMs(response) {
  const said = response.headers.get('Retry-After')?.trim();
  return said && /^\d+$/.test(said) ? Number(said) * 1000 : null;
}
