//! The monitoring page: what is answered at its address, and what a browser makes of it, driven by keys.

mod answers;
mod browsers;
