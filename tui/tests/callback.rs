//! What runs on the sound card's thread neither allocates nor frees: every call to the allocator is counted.
//! A program of its own, since the allocator is the whole program's.
// An allocator is unsafe by its trait; this one counts and leaves the work to the system's.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::time::Instant;

use partyline::audio::output::{Sample, pair};

thread_local! {
    /// Calls on this thread; a plain number, so that counting allocates nothing.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    CALLS.set(CALLS.get() + 1);
}

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: as the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller's.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Calls to the allocator while this runs.
fn calls(work: impl FnOnce()) -> usize {
    let before = CALLS.get();
    work();
    CALLS.get() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(calls(|| drop(black_box(Box::new(7)))), 2);
    let mut list = vec![1];
    assert_eq!(calls(|| list.extend([2; 100])), 1);
    let mut sum = 0;
    assert_eq!(calls(|| sum = black_box(list.iter().sum())), 0);
    assert_eq!(sum, 201);
}

/// Full, short, dry, and full again, for longer than the notes to the worker fit into their ring.
fn fills<S: Sample>(channels: usize, silence: S) {
    let (mut output, mut line) = pair(48_000, 960, Instant::now());
    line.expect(true);
    let mut out = vec![silence; 960 * channels];
    let frames = vec![[0.25f32, -0.5]; 960];
    for round in 0..1000 {
        let had = [960, 960, 300, 0, 700].get(round % 5).copied().unwrap_or(0);
        line.push(frames.get(..had).unwrap_or_default());
        assert_eq!(calls(|| output.fill(&mut out, channels)), 0, "round {round}");
    }
    assert!(line.health().underruns.load(std::sync::atomic::Ordering::Relaxed) > 100);
}

#[test]
fn filling_the_devices_buffer_allocates_nothing() {
    fills(2, 0.0f32);
    fills(2, 0i16);
    fills(1, 0i32);
    fills(6, 0u16);
}

/// Neither does the end: what the callback owned goes with the thread that made the stream, not with a fill.
#[test]
fn a_worker_that_is_gone_changes_nothing() {
    let (mut output, line) = pair(48_000, 960, Instant::now());
    drop(line);
    let mut out = [0i16; 2 * 960];
    assert_eq!(calls(|| output.fill(&mut out, 2)), 0);
}
