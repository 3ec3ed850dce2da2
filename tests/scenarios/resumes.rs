//! A listener that is cut off has every line and event once and in order when it is back, and knows what
//! audio it missed.

mod cut_wires;
mod random_cuts;
mod restarts;
mod verdict;
mod world;
