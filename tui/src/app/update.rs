//! (App, Event) to Effects: no await, no I/O.
