//! What supervisors keep of a call: moments that they mark for each other, and the last half minute as a file.

mod clips;
mod marks;
