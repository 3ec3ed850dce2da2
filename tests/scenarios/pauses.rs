//! A call is held back: what is said meanwhile reaches nobody and is kept nowhere, and who did it is on record.

mod restarts;
mod rights;
mod unheard;
