// Signing in: asks for a token until one is right. It is kept for this tab only, and never in an address.
import { $, tell } from './dom.js';

const KEPT = 'partyline.token';

/** The token that this tab has, or null. */
export const kept = () => sessionStorage.getItem(KEPT);
/** Forgets it. */
export const forget = () => sessionStorage.removeItem(KEPT);

/** Whether the relay lets in who has this token (null: nobody's): `{ok}` or `{ok: false, why}`. */
export async function isLetIn(token) {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  let answer;
  try {
    answer = await fetch('/api/v1/calls?limit=1', { headers, cache: 'no-store', credentials: 'omit' });
  } catch {
    return { ok: false, why: 'The relay cannot be reached. Is this computer online?' };
  }
  if (answer.ok) return { ok: true };
  switch (answer.status) {
    case 401: return { ok: false, wrong: true, why: 'This token is not valid, or it has expired.' };
    case 429: {
      const wait = Number(answer.headers.get('retry-after'));
      return { ok: false, why: `Too many tries. Try again ${wait > 1 ? `in ${wait} seconds` : 'in a moment'}.` };
    }
    case 403: {
      const { error } = await answer.json().catch(() => ({}));
      const why = error?.code === 'refused'
        ? 'The relay lets no page of this address in. Its operator can, by --public-url or --allowed-origin.'
        : 'This token may not look at calls.';
      return { ok: false, why };
    }
    case 503: return { ok: false, why: 'The relay is busy or leaving. Try again in a moment.' };
    default: return { ok: false, why: `The relay answers with ${answer.status}.` };
  }
}

/** Shows the form until somebody is let in; gives the token. `why` is told first. */
export function ask(why = '') {
  const [place, form, field, wrong] = ['signin', 'signin-form', 'token', 'signin-wrong'].map($);
  place.hidden = false;
  field.value = '';
  tell(wrong, why);
  field.setAttribute('aria-invalid', String(why !== ''));
  field.focus();
  return new Promise((done) => {
    let busy = false;
    form.onsubmit = async (event) => {
      event.preventDefault();
      const token = field.value.trim();
      if (busy) return;
      busy = true;
      // Emptied first, so that the same fault is read out again.
      tell(wrong, '');
      // What no header can carry is no token.
      const answer = /^[\x21-\x7e]+$/.test(token)
        ? await isLetIn(token)
        : { ok: false, why: token === '' ? 'Paste your token here.' : 'This is no token: it has a space or letter that none has.' };
      busy = false;
      field.setAttribute('aria-invalid', String(!answer.ok));
      if (!answer.ok) {
        tell(wrong, answer.why);
        field.focus();
        field.select();
        return;
      }
      sessionStorage.setItem(KEPT, token);
      field.value = '';
      place.hidden = true;
      form.onsubmit = null;
      done(token);
    };
  });
}
