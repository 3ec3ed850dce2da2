//! A person's eyes: panes, rows and the cursor on a screen of the monitor.

use harness::Terminal;
use vt100::{Cell, Screen};

/// What stands between left and right, on the titles' row too.
const DIVIDER: char = '│';

/// What is before a pane's title, where the pane has the keys and where not.
const MARKS: [&str; 2] = ["▌ ", "─ "];

/// A screen, as text.
pub(crate) struct Seen {
    /// The rows from edge to edge.
    pub(crate) rows: Vec<String>,
    /// The rows of the panes at the left and at the right; the latter are empty where there is no right.
    halves: [Vec<String>; 2],
}

/// Looks at it.
pub(crate) fn see(screen: &Screen) -> Seen {
    let (_, columns) = screen.size();
    let columns = columns.get();
    let titles = screen.rows(0, columns).next().unwrap_or_default();
    let divider = titles.chars().position(|c| c == DIVIDER);
    let (left, right) = match divider.and_then(|at| u16::try_from(at).ok()) {
        Some(at) => (at, at + 1),
        None => (columns, columns),
    };
    Seen {
        rows: screen.rows(0, columns).collect(),
        halves: [
            screen.rows(0, left).collect(),
            screen.rows(right, columns - right).collect(),
        ],
    }
}

impl Seen {
    /// Whether the text stands anywhere, in one row.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.rows.iter().any(|row| row.contains(text))
    }

    /// The words of the whole screen, as if no row ended: for what may be wrapped.
    pub(crate) fn says(&self, text: &str) -> bool {
        let words: Vec<&str> = self.rows.iter().flat_map(|row| row.split_whitespace()).collect();
        words.join(" ").contains(text)
    }

    /// Whether the list has the call at its right.
    pub(crate) fn is_beside(&self) -> bool {
        self.halves[1].first().is_some_and(|row| title(row).is_some())
    }

    /// The title of the pane that has the keys.
    pub(crate) fn focus(&self) -> Option<&str> {
        self.titles()
            .find_map(|(mark, title)| (mark == MARKS[0]).then_some(title))
    }

    /// The titles of the panes that are shown, from top left to bottom right.
    pub(crate) fn panes(&self) -> Vec<&str> {
        self.titles().map(|(_, title)| title).collect()
    }

    fn titles(&self) -> impl Iterator<Item = (&str, &str)> {
        self.halves.iter().flatten().filter_map(|row| title(row))
    }

    /// A pane's rows: its title first, the status at the end where it is the lowest.
    pub(crate) fn pane(&self, name: &str) -> &[String] {
        let is_it = |row: &String| title(row).is_some_and(|(_, title)| title == name);
        for half in &self.halves {
            if let Some(from) = half.iter().position(is_it) {
                let below = half[from + 1..].iter().position(|row| title(row).is_some());
                return &half[from..below.map_or(half.len(), |below| from + 1 + below)];
            }
        }
        &[]
    }

    /// Whether a pane has the text in one of its rows.
    pub(crate) fn pane_has(&self, name: &str, text: &str) -> bool {
        self.pane(name).iter().any(|row| row.contains(text))
    }

    /// The row of the screen with the cursor of the list, and the customer there.
    pub(crate) fn cursor(&self) -> Option<(usize, &str)> {
        let at = self.halves[0].iter().position(|row| row.starts_with('>'))?;
        Some((at, customer(&self.halves[0][at])?))
    }

    /// The customers of the list, from top to bottom, as far as they are seen.
    pub(crate) fn customers(&self) -> Vec<&str> {
        self.halves[0].iter().filter_map(|row| customer(row)).collect()
    }

    /// The row of the list with this text in it.
    pub(crate) fn listed(&self, text: &str) -> Option<&str> {
        let row = self.halves[0].iter().find(|row| row.contains(text));
        row.map(String::as_str)
    }
}

/// Mark and name of a title.
fn title(row: &str) -> Option<(&'static str, &str)> {
    let mark = *MARKS.iter().find(|mark| row.starts_with(**mark))?;
    let name = row[mark.len()..].split([' ', '·']).next()?;
    Some((mark, name))
}

/// The stories' customers are called `cust…`, or `…` and two letters where they are masked.
fn customer(row: &str) -> Option<&str> {
    if !row.starts_with(['>', ' ']) {
        return None;
    }
    row.split_whitespace().find(|word| word.starts_with("cust"))
}

/// Waits until what is seen is so.
pub(crate) async fn until(terminal: &Terminal, what: &str, mut is_so: impl FnMut(&Seen) -> bool) {
    terminal.wait_until(what, |screen| is_so(&see(screen))).await;
}

/// What stands on the screen now.
pub(crate) fn now(terminal: &Terminal) -> Seen {
    terminal.look(see)
}

/// The cell in which `text` begins, where it is seen.
pub(crate) fn cell(screen: &Screen, text: &str) -> Option<Cell> {
    let (_, columns) = screen.size();
    screen.rows(0, columns.get()).enumerate().find_map(|(row, line)| {
        let before = line[..line.find(text)?].chars().count();
        let at = (u16::try_from(row).ok()?, u16::try_from(before).ok()?);
        screen.cell(at.0, at.1).cloned()
    })
}
