//! All intents, for tests that want each of them.

use super::Intent;

/// All intents but `Type`, which has a letter. The match fails to compile when one is added.
pub(crate) fn all() -> Vec<Intent> {
    use Intent as I;
    let all = [
        I::Up,
        I::Down,
        I::PageUp,
        I::PageDown,
        I::Home,
        I::End,
        I::NextPane,
        I::PrevPane,
        I::Listen,
        I::Stop,
        I::Pause,
        I::Live,
        I::Louder,
        I::Quieter,
        I::Mute,
        I::OnlyCustomer,
        I::OnlyAgent,
        I::BothSides,
        I::Stereo,
        I::CustomerLouder,
        I::CustomerQuieter,
        I::AgentLouder,
        I::AgentQuieter,
        I::MuteCustomer,
        I::MuteAgent,
        I::AutoLevel,
        I::Back,
        I::Forward,
        I::Fast,
        I::SkipSilence,
        I::Clip,
        I::Mark,
        I::Also,
        I::Switch,
        I::FollowOn,
        I::Devices,
        I::Hold,
        I::Find,
        I::NextMatch,
        I::PrevMatch,
        I::Copy,
        I::Privacy,
        I::Ended,
        I::NextSort,
        I::PrevSort,
        I::Retry,
        I::Help,
        I::Cancel,
        I::Quit,
        I::Suspend,
        I::Redraw,
        I::Erase,
        I::EraseAll,
        I::Accept,
    ];
    for intent in all {
        match intent {
            I::Up | I::Down | I::PageUp | I::PageDown | I::Home | I::End | I::NextPane | I::PrevPane => {}
            I::Listen | I::Stop | I::Pause | I::Live | I::Louder | I::Quieter | I::Mute | I::OnlyCustomer => {
            }
            I::OnlyAgent
            | I::BothSides
            | I::Stereo
            | I::Hold
            | I::Find
            | I::NextMatch
            | I::PrevMatch
            | I::Copy => {}
            I::Privacy | I::Ended | I::NextSort | I::PrevSort | I::Retry | I::Help | I::Cancel | I::Quit => {}
            I::CustomerLouder
            | I::CustomerQuieter
            | I::AgentLouder
            | I::AgentQuieter
            | I::MuteCustomer
            | I::MuteAgent
            | I::AutoLevel
            | I::Back
            | I::Forward
            | I::Fast
            | I::SkipSilence
            | I::Clip
            | I::Mark
            | I::Also
            | I::Switch
            | I::FollowOn
            | I::Devices => {}
            I::Suspend | I::Redraw | I::Type(_) | I::Erase | I::EraseAll | I::Accept => {}
        }
    }
    all.to_vec()
}
