// The numbers that the jitter buffer goes by, each with its reason. They are the terminal's
// (tui/src/audio/jitter.rs and jitter/out.rs), but for the greatest delay, which is half of its.

/** A slot, ms. */
export const SLOT_MS = 20;

/** The least and the greatest target, ms; who hears a conversation later than that follows it with difficulty. */
export const MIN_TARGET_MS = 20;
export const MAX_TARGET_MS = 200;

/** The least target before anything was played, ms. */
export const START_MS = 60;

/**
 * On top of what arrivals vary by, ms: the sound's thread looks every few ms, and a frame in two hundred comes later
 * than is allowed for.
 */
export const MARGIN_MS = 10;

/** A stream of which nothing came for so long has stopped sending, ms; longer than what the target may cover. */
export const IDLE_MS = 400;

/** A frame that is faster than all others by so much, ms, belongs to another clock. */
export const MAX_EARLY_MS = 2_000;

/** A step on the media clock over more than that, in slots, is another clock: 5 min. */
export const MAX_LEAP = 15_000;

/** A live frame so far behind what is played, in slots, is another clock: 10 s. */
export const MAX_BACK = 500;

/** So far above the target silence is left out, ms: a slot and a little, so that what is left is no shortage. */
export const SHED_MS = 24;

/** So far below it silence is put in, ms. */
export const GROW_MS = 12;

/** So far above it is live all the same, ms: pauses make up for it. */
export const LIVE_MS = 200;

/** So far above it anything is left out, at once, ms: what a stall held back. */
export const BURST_MS = 400;

/** Slots between two changes of a silence: a pause stays a pause. */
export const CHANGE_EVERY = 5;

/** What is still missing of the target after running dry may be so much, ms. */
export const NEARLY_MS = 10;

/** A track is waited for, while the other one is there, for so many slots: 60 ms. */
export const WAIT_SLOTS = 3;

/** A track that lies back by so many slots has lost its frame: both are sent in turn. */
export const SKEW = 2;

/** Longer holes than that, in slots, are pauses: 400 ms. */
export const LONG_HOLE = 20;

/** So long a backlog is gathered before it is played, ms: it comes in a burst, perhaps one track after the other. */
export const GATHER_MS = 100;

/** A hole in a backlog that is longer than this, in slots, is not waited out: 1 s. */
export const MAX_HOLE = 50;

/** Under this power a slot is quiet, -45 dBFS: the noise of a telephone line, not the end of a word. */
export const QUIET = 10 ** (-45 / 10);
