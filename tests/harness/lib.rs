//! Harness: the parts of a story.
