//! Which pane gets which rectangle. A pane that has no room is empty: its rectangle is 0 high.

use ratatui::layout::Rect;

use crate::app::state::Pane;

/// Below these nothing can be worked with.
pub const LEAST: (u16, u16) = (40, 10);
/// Columns from which two panes stand above each other; below only the one with the keys is shown.
const STACKED: u16 = 60;
/// Columns from which the list has the left and the call the right.
const BESIDE: u16 = 100;

/// Columns with which the list shows a telephone number whole, most of an agent's name and who talks.
const LIST_LEAST: u16 = 53;

/// Rows of the call pane below which its waveforms would be lost: title, who, two waves, sound.
const CALL_LEAST: u16 = 5;
/// Rows beyond which a taller waveform shows nothing more.
const CALL_MOST: u16 = 15;
/// Rows with which any text is worth its title.
const TEXT_LEAST: u16 = 3;
/// Rows with which an events log is worth its title.
const EVENTS_LEAST: u16 = 4;
/// Rows that a transcript should have before the events get any.
const TRANSCRIPT_FIRST: u16 = 8;
/// Rows of events that are enough, title included.
const EVENTS_MOST: u16 = 14;

/// The panes' rectangles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// The list.
    pub calls: Rect,
    /// The call.
    pub call: Rect,
    /// What was said.
    pub transcript: Rect,
    /// What happened.
    pub events: Rect,
    /// Between left and right.
    pub divider: Rect,
    /// The last rows.
    pub status: Rect,
}

/// Whether there is room for anything but a message.
pub fn is_too_small(area: Rect) -> bool {
    area.width < LEAST.0 || area.height < LEAST.1
}

/// Divides `area` among the panes; `status` rows of it are taken first.
pub fn divide(area: Rect, status: u16, focus: Pane) -> Layout {
    let (panes, status) = split_rows(area, area.height.saturating_sub(status));
    let mut layout = Layout {
        status,
        ..Layout::default()
    };
    if area.width < STACKED {
        *layout.of(focus) = panes;
    } else if area.width < BESIDE {
        stack(&mut layout, panes, focus);
    } else {
        // The list needs about 90 columns for all it can show; what is more is better used by words.
        let left = ((u32::from(panes.width) * 48 / 100) as u16).max(LIST_LEAST);
        layout.calls = Rect { width: left, ..panes };
        layout.divider = Rect {
            x: panes.x.saturating_add(left),
            width: 1,
            ..panes
        };
        let right = Rect {
            x: layout.divider.right(),
            width: panes.width.saturating_sub(left).saturating_sub(1),
            ..panes
        };
        let call = (right.height * 36 / 100).clamp(CALL_LEAST + 3, CALL_MOST);
        divide_call(&mut layout, right, call, focus);
    }
    layout
}

/// The list over the call over the texts. The list and the call are always there.
fn stack(layout: &mut Layout, panes: Rect, focus: Pane) {
    let rows = panes.height;
    let calls = match rows {
        0..12 => rows.saturating_sub(CALL_LEAST),
        12..20 => rows * 36 / 100,
        _ => (rows * 34 / 100).max(7),
    };
    let (calls, rest) = split_rows(panes, calls);
    layout.calls = calls;
    let call = match rest.height {
        0..14 => CALL_LEAST,
        14..24 => CALL_LEAST + 2,
        height => (height * 30 / 100).clamp(CALL_LEAST + 3, CALL_MOST),
    };
    divide_call(layout, rest, call, focus);
}

/// The call over the texts, or one of them where nothing could be read of the other.
fn divide_call(layout: &mut Layout, area: Rect, call: u16, focus: Pane) {
    let (call, texts) = split_rows(area, call);
    if texts.height < TEXT_LEAST {
        match focus {
            Pane::Transcript | Pane::Events => *layout.of(focus) = area,
            Pane::Calls | Pane::Call => layout.call = area,
        }
        return;
    }
    layout.call = call;
    divide_texts(layout, texts, focus);
}

/// Transcript and events, or the one of them that is wanted where there is no room for both.
fn divide_texts(layout: &mut Layout, texts: Rect, focus: Pane) {
    if texts.height < TRANSCRIPT_FIRST + EVENTS_LEAST {
        match focus {
            Pane::Events => layout.events = texts,
            _ => layout.transcript = texts,
        }
        return;
    }
    let events = (texts.height * 30 / 100).clamp(EVENTS_LEAST, EVENTS_MOST);
    let (transcript, events) = split_rows(texts, texts.height.saturating_sub(events));
    layout.transcript = transcript;
    layout.events = events;
}

fn split_rows(area: Rect, first: u16) -> (Rect, Rect) {
    let first = first.min(area.height);
    (
        Rect {
            height: first,
            ..area
        },
        Rect {
            y: area.y.saturating_add(first),
            height: area.height.saturating_sub(first),
            ..area
        },
    )
}

impl Layout {
    fn of(&mut self, pane: Pane) -> &mut Rect {
        match pane {
            Pane::Calls => &mut self.calls,
            Pane::Call => &mut self.call,
            Pane::Transcript => &mut self.transcript,
            Pane::Events => &mut self.events,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PANES: [Pane; 4] = [Pane::Calls, Pane::Call, Pane::Transcript, Pane::Events];

    fn shown(columns: u16, rows: u16, focus: Pane) -> Vec<Pane> {
        let mut layout = divide(Rect::new(0, 0, columns, rows), 2, focus);
        PANES
            .into_iter()
            .filter(|pane| layout.of(*pane).height > 0)
            .collect()
    }

    #[test]
    fn width_decides_what_stands_beside_what() {
        assert_eq!(shown(59, 20, Pane::Transcript), [Pane::Transcript]);
        assert_eq!(
            shown(60, 20, Pane::Transcript),
            [Pane::Calls, Pane::Call, Pane::Transcript]
        );
        assert_eq!(shown(80, 40, Pane::Calls), PANES);
        assert_eq!(shown(100, 30, Pane::Calls), PANES);
        let beside = divide(Rect::new(0, 0, 100, 30), 2, Pane::Calls);
        assert_eq!((beside.calls.y, beside.call.y), (0, 0));
        assert!((45..=55).contains(&beside.calls.width));
    }

    #[test]
    fn the_pane_with_the_keys_is_always_in_sight_and_none_covers_another() {
        for columns in 0..120 {
            for rows in 0..70 {
                for focus in PANES {
                    let area = Rect::new(0, 0, columns, rows);
                    let mut layout = divide(area, 2, focus);
                    let focused = *layout.of(focus);
                    assert!(
                        rows < 10 || focused.height >= 3 || columns == 0,
                        "{focus:?} at {columns}x{rows}"
                    );
                    let others = [layout.status, layout.divider];
                    let panes = PANES.map(|pane| *layout.of(pane));
                    let all: Vec<Rect> = panes.into_iter().chain(others).collect();
                    let cells: u32 = all.iter().map(|rect| rect.area()).sum();
                    assert_eq!(cells, area.area(), "{layout:?}");
                    for (at, one) in all.iter().enumerate() {
                        assert_eq!(one.intersection(area).area(), one.area(), "{one:?} is outside");
                        assert!(
                            all[at + 1..]
                                .iter()
                                .all(|other| one.intersection(*other).area() == 0),
                            "{layout:?}"
                        );
                    }
                }
            }
        }
    }
}
