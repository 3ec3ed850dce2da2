//! Only Twilio's requests do anything, and each of them once.

mod refused;
mod replayed;
mod sdk;
mod simulated;
mod spoofed;
