//! A mutex that a panic elsewhere does not poison: one connection's fault must not end the others, and
//! every section under these locks leaves its data whole at each step.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, whatever became of the last holder.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
