//! What was found, as Markdown. Figures come in, text goes out; nothing is measured here.

use std::fmt::Write as _;

use super::clocks::Day;
use super::goals::Goal;
use super::network::Holds;
use super::rows::{Row, Run};

/// What stands above the table; what each column is.
const ABOUT: &str = include_str!("about.md");

/// The same calls through another jitter buffer.
const BESIDE: &str = include_str!("beside.md");

/// All that is told.
pub(crate) struct Page<'a> {
    /// Seconds of each call.
    pub(crate) seconds: usize,
    /// Calls on each network.
    pub(crate) seeds: u64,
    /// Hours of each day.
    pub(crate) hours: f64,
    /// The networks.
    pub(crate) rows: &'a [Row],
    /// The days.
    pub(crate) days: &'a [Day],
    /// What is aimed at.
    pub(crate) goals: &'a [Goal],
}

impl Page<'_> {
    /// As a file.
    pub(crate) fn text(&self) -> String {
        let mut page = String::from("# What reaches the ear\n\n");
        let about = ABOUT.replace("SECONDS", &self.seconds.to_string());
        page.push_str(&about.replace("SEEDS", &self.seeds.to_string()));
        page.push_str("\n## Goals\n\n| what | goal | measured | met |\n| --- | --- | --- | --- |\n");
        for Goal {
            what,
            aim,
            found,
            is_met,
        } in self.goals
        {
            let met = if *is_met { "yes" } else { "**no**" };
            let _ = writeln!(page, "| {what} | {aim} | {found} | {met} |");
        }
        page.push_str("\n## Networks\n\n");
        page.push_str(
            "| network | delay ms, mean | p95 | target | away | concealed ms/min | stretched ms/min | lost ms/min | late ms/min | \
             dropped ms/min | underruns | clicks | SNR dB | STOI (least) | back after s |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for row in self.rows {
            page.push_str(&self.row(row));
        }
        if !self.days.is_empty() {
            page.push_str(&self.clocks());
        }
        if !BESIDE.trim().is_empty() {
            let _ = write!(page, "\n{BESIDE}");
        }
        page
    }

    fn row(&self, row: &Row) -> String {
        let runs = &row.runs;
        let mean = |of: &dyn Fn(&Run) -> f64| runs.iter().map(of).sum::<f64>() / runs.len() as f64;
        let minutes = self.seconds as f64 / 60.0;
        let a_minute = |of: &dyn Fn(&Run) -> u64| mean(&|run| of(run) as f64 / minutes);
        let most = |of: &dyn Fn(&Run) -> u32| runs.iter().map(of).max().unwrap_or_default();
        let sum = |of: &dyn Fn(&Run) -> u64| runs.iter().map(of).sum::<u64>();
        let stoi: Vec<f64> = runs.iter().flat_map(|run| &run.stoi).copied().collect();
        let stoi = stoi
            .iter()
            .copied()
            .reduce(f64::min)
            .map_or("–".to_owned(), |least| {
                format!("{:.3} ({least:.3})", stoi.iter().sum::<f64>() / stoi.len() as f64)
            });
        // A second's middle frame says nothing of a network that holds all back.
        let away = match row.network.holds {
            Holds::Never => format!("{:+.0}", mean(&|run| run.off_ms)),
            Holds::Bursts | Holds::Stall(_) => "–".to_owned(),
        };
        let back = runs.iter().filter_map(|run| run.back_s).reduce(f64::max);
        format!(
            "| {} | {:.0} | {} | {:.0} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {} | {} | {:.1} | {stoi} | {} |\n",
            row.network.name,
            mean(&|run| f64::from(run.stats.all.mean_ms)),
            most(&|run| run.stats.all.p95_ms),
            mean(&|run| f64::from(run.stats.playback.target_ms)),
            away,
            a_minute(&|run| run.stats.playback.concealed_ms),
            a_minute(&|run| run.stats.playback.stretched_ms),
            a_minute(&|run| run.stats.playback.lost_ms),
            a_minute(&|run| run.stats.playback.late_ms),
            a_minute(&|run| run.stats.playback.dropped_ms),
            sum(&|run| run.stats.playback.underruns),
            sum(&|run| run.clicks as u64),
            mean(&|run| run.snr_db),
            back.map_or("–".to_owned(), |back| format!("{back:.1}")),
        )
    }

    fn clocks(&self) -> String {
        let mut table = format!(
            "\n## Clocks\n\n{} hours at 0 to 30 ms, on a card whose clock is off. Learnt: by how much the card is slower \
             than the network. From ten minutes on: the least and the greatest delay of a second, audio that was \
             covered up, left out or too late, audio that was stretched, underruns, and the largest step from sample to \
             sample as a part of what is a click.\n\n\
             | card, ppm | learnt, ppm | delay at the end, ms | and of the least delayed | target of that | delay from … to, ms | jumped, ms | \
             stretched, ms | underruns | largest step |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
            self.hours
        );
        for day in self.days {
            let (early, end) = (&day.early.playback, &day.end.playback);
            let _ = writeln!(
                table,
                "| {:+.0} | {:+.0} | {} | {:.0} | {} | {} … {} | {} | {} | {} | {:.2} |",
                day.ppm,
                day.end.drift_ppm,
                end.delay_ms.unwrap_or_default(),
                day.off_ms() + f64::from(end.target_ms),
                end.target_ms,
                day.delay_ms.0,
                day.delay_ms.1,
                day.jumped_ms(),
                end.stretched_ms - early.stretched_ms,
                end.underruns,
                day.step,
            );
        }
        table
    }
}
