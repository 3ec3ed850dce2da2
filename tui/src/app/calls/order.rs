//! Which calls are seen, and which comes before which. The order is kept up, not made anew: a change looks its
//! place up, and one that moves nothing costs no search at all.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::{List, Row, Sort};
use crate::event::{CallKey, RelayId};

/// How long a call that has ended keeps its place among the live ones, ms: long enough to see which it was.
pub const ENDED_LINGER_MS: u64 = 15_000;

/// What a change did to the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Same,
    /// The row is another one, on the same place.
    Row,
    /// Rows may stand elsewhere.
    Order,
}

impl Default for List {
    fn default() -> Self {
        List::new([])
    }
}

impl List {
    /// An empty list of the calls of these relays.
    pub fn new<'a>(relays: impl IntoIterator<Item = &'a str>) -> List {
        List {
            calls: HashMap::new(),
            twins: HashMap::new(),
            order: Vec::new(),
            selected: None,
            cursor_row: 0,
            filter: String::new(),
            sort: Sort::default(),
            with_ended: true,
            relay_names: relays.into_iter().map(str::to_lowercase).collect(),
            lingering: HashMap::new(),
            lingers_until: u64::MAX,
        }
    }

    /// The place of a call, where it is seen.
    pub fn index_of(&self, key: &CallKey) -> Option<usize> {
        let row = self.calls.get(key)?;
        let at = self.place_of(row);
        (self.order.get(at) == Some(key)).then_some(at)
    }

    /// Whether a call has ended and lost its place among the live ones.
    pub fn is_past(&self, row: &Row) -> bool {
        row.is_ended() && !self.lingering.contains_key(&row.key)
    }

    /// A call is new or changed. Its levels stay while media comes.
    pub fn put(&mut self, mut row: Row, now: u64) -> Change {
        let Some(before) = self.calls.get(&row.key) else {
            let key = row.key.clone();
            self.calls.insert(key.clone(), row);
            self.enter(&key);
            return Change::Order;
        };
        if row.is_live() && row.roles == before.roles {
            row.level = before.level;
        }
        if *before == row {
            return Change::Same;
        }
        let ends = row.is_ended() && !before.is_ended();
        let returns = before.is_ended() && !row.is_ended();
        let stays = !ends && !returns && self.same_place(before, &row);
        if stays && (self.filter.is_empty() || self.matches(before) == self.matches(&row)) {
            self.calls.insert(row.key.clone(), row);
            return Change::Row;
        }
        let key = row.key.clone();
        let was_at = self.leave(&key);
        if ends {
            self.linger(&key, now);
        } else if returns {
            self.lingering.remove(&key);
        }
        self.calls.insert(key.clone(), row);
        self.enter(&key);
        self.reselect(&key, was_at);
        Change::Order
    }

    /// A call is forgotten; whether it was selected.
    pub fn remove(&mut self, key: &CallKey) -> bool {
        let was_selected = self.selected.as_ref() == Some(key);
        let was_at = self.leave(key);
        self.lingering.remove(key);
        self.calls.remove(key);
        self.reselect(key, was_at);
        was_selected
    }

    /// One relay's row of a call gives its place to another relay's row of the same call.
    pub fn trade(&mut self, from: &CallKey, to: &CallKey) {
        let was_selected = self.selected.as_ref() == Some(from);
        let was_at = self.leave(from);
        if let Some(row) = self.calls.remove(from) {
            self.twins.insert(from.clone(), row);
        }
        if let Some(row) = self.twins.remove(to) {
            // Whoever has just ended keeps its place.
            if let Some(until) = self.lingering.remove(from).filter(|_| row.is_ended()) {
                self.lingering.insert(to.clone(), until);
            }
            self.calls.insert(to.clone(), row);
            self.enter(to);
        }
        self.lingering.remove(from);
        if was_selected {
            self.selected = Some(to.clone());
            self.reselect(to, was_at);
        }
    }

    /// All calls of a relay are these, but for those to hold on to; whether the selected one is gone.
    pub fn replace(
        &mut self,
        relay: RelayId,
        rows: Vec<Row>,
        now: u64,
        hold: impl Fn(&CallKey) -> bool,
    ) -> bool {
        let mut old = HashMap::with_capacity(rows.len());
        for (key, row) in self.calls.extract_if(|key, _| key.relay == relay) {
            old.insert(key, row);
        }
        for mut row in rows {
            if let Some(before) = old.remove(&row.key) {
                if row.is_live() && row.roles == before.roles {
                    row.level = before.level;
                }
                if row.is_ended() && !before.is_ended() {
                    self.linger(&row.key, now);
                }
            }
            if !row.is_ended() {
                self.lingering.remove(&row.key);
            }
            self.calls.insert(row.key.clone(), row);
        }
        self.calls.extend(old.into_iter().filter(|(key, _)| hold(key)));
        self.lingering.retain(|key, _| self.calls.contains_key(key));
        let before = self.selected.clone();
        self.rebuild();
        before.is_some() && before != self.selected
    }

    /// Only calls with all these words are seen from now on.
    pub fn set_filter(&mut self, text: &str) {
        let filter = text.to_lowercase();
        if filter != self.filter {
            self.filter = filter;
            self.rebuild();
        }
    }

    /// Sorted by something else from now on.
    pub fn set_sort(&mut self, sort: Sort) {
        self.sort = sort;
        self.rebuild();
    }

    /// Ended calls are seen or not from now on.
    pub fn set_with_ended(&mut self, with_ended: bool) {
        self.with_ended = with_ended;
        self.rebuild();
    }

    /// Calls that ended long enough ago, and are not selected, go where they belong. Whether any did.
    pub fn settle_ended(&mut self, now: u64) -> bool {
        if now < self.lingers_until {
            return false;
        }
        let over = |(key, until): (&CallKey, &u64)| {
            (*until <= now && self.selected.as_ref() != Some(key)).then(|| key.clone())
        };
        let over: Vec<CallKey> = self.lingering.iter().filter_map(over).collect();
        for key in &over {
            self.leave(key);
            self.lingering.remove(key);
            self.enter(key);
        }
        let kept = self
            .lingering
            .iter()
            .filter(|(key, _)| self.selected.as_ref() != Some(*key));
        self.lingers_until = kept.map(|(_, until)| *until).min().unwrap_or(u64::MAX);
        !over.is_empty()
    }

    /// When [`List::settle_ended`] has something to do; `None` for never.
    pub(in crate::app) fn lingers_until(&self) -> Option<u64> {
        (self.lingers_until < u64::MAX).then_some(self.lingers_until)
    }

    fn linger(&mut self, key: &CallKey, now: u64) {
        let until = now.saturating_add(ENDED_LINGER_MS);
        self.lingering.insert(key.clone(), until);
        self.lingers_until = self.lingers_until.min(until);
    }

    /// Makes the order anew: what is seen, or by what it is sorted, has changed for all.
    fn rebuild(&mut self) {
        let mut rows: Vec<&Row> = self.calls.values().filter(|row| self.is_seen(row)).collect();
        rows.sort_unstable_by(|a, b| self.compare(a, b));
        let order: Vec<CallKey> = rows.into_iter().map(|row| row.key.clone()).collect();
        let old = std::mem::replace(&mut self.order, order);
        self.reselect_after(&old);
    }

    fn is_seen(&self, row: &Row) -> bool {
        (self.with_ended || !self.is_past(row)) && self.matches(row)
    }

    /// Whether all words of the filter are in a row.
    fn matches(&self, row: &Row) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        let relay = self.relay_names.get(usize::from(row.key.relay.0));
        let texts = [&row.customer_id, &row.customer, &row.agent, &row.from, &row.to];
        let mut all = format!("{} {}", row.key.call, row.status.as_str());
        for text in texts.into_iter().flatten().chain(relay) {
            all.push(' ');
            all.push_str(text);
        }
        let all = all.to_lowercase();
        self.filter.split_whitespace().all(|word| all.contains(word))
    }

    /// Where a row stands or would stand.
    fn place_of(&self, row: &Row) -> usize {
        self.order.partition_point(|key| {
            let other = self.calls.get(key);
            other.is_some_and(|other| self.compare(other, row) == Ordering::Less)
        })
    }

    fn enter(&mut self, key: &CallKey) {
        if let Some(row) = self.calls.get(key)
            && self.is_seen(row)
        {
            let at = self.place_of(row);
            self.order.insert(at, key.clone());
        }
    }

    fn leave(&mut self, key: &CallKey) -> Option<usize> {
        let at = self.index_of(key)?;
        self.order.remove(at);
        Some(at)
    }

    fn compare(&self, a: &Row, b: &Row) -> Ordering {
        let past = (self.is_past(a), self.is_past(b));
        let order = past.0.cmp(&past.1).then_with(|| match past.0 {
            true => b.ended_at.cmp(&a.ended_at),
            false => self.compare_live(a, b),
        });
        order.then_with(|| a.key.cmp(&b.key))
    }

    fn compare_live(&self, a: &Row, b: &Row) -> Ordering {
        // Who is nobody comes last.
        let by_name = |a: Option<&String>, b: Option<&String>| (a.is_none(), a).cmp(&(b.is_none(), b));
        match self.sort {
            Sort::Oldest => Ordering::Equal,
            Sort::Newest => return b.started_at.cmp(&a.started_at),
            Sort::Customer => by_name(customer(a), customer(b)),
            Sort::Agent => by_name(a.agent.as_ref(), b.agent.as_ref()),
            Sort::Listeners => b.listeners.cmp(&a.listeners),
        }
        .then_with(|| a.started_at.cmp(&b.started_at))
    }

    /// Whether one row stands where the other stood, as far as the order goes.
    fn same_place(&self, a: &Row, b: &Row) -> bool {
        let ended = a.ended_at == b.ended_at || self.lingering.contains_key(&b.key);
        ended && self.compare_live(a, b) == Ordering::Equal
    }
}

/// By what a customer is known.
fn customer(row: &Row) -> Option<&String> {
    row.customer_id.as_ref().or(row.customer.as_ref())
}
