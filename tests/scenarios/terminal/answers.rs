//! What the terminal is asked at the start, and that its answers are never keys.

use harness::Terminal;
use harness::terminal::{Answers, Setup};

use super::{CUSTOMER, Scene};

/// What shows which pane has the keys, in a colour that no background shares with another.
const MARK: &str = "▌";

const QUESTION: &[u8] = b"\x1b]11;?\x1b\\\x1b[c";

/// No filter is typed, no help is open, nothing is quit.
async fn untouched(terminal: &Terminal) {
    let text = terminal.text();
    assert!(text.contains("Calls 1") && text.contains(CUSTOMER), "{text}");
    // And it listens to keys.
    terminal.keys("?");
    terminal.wait_for("Ctrl-U").await;
    terminal.keys("?");
    terminal.wait_for(CUSTOMER).await;
}

fn answering(answers: Answers) -> Setup<'static> {
    Setup {
        answers,
        ..Setup::default()
    }
}

/// The colour of the first cell that shows `text`.
fn colour(terminal: &Terminal, text: &str) -> vt100::Color {
    terminal
        .look(|screen| colour_on(screen, text))
        .unwrap_or_else(|| panic!("{text:?} is not on the screen:\n{}", terminal.text()))
}

fn colour_on(screen: &vt100::Screen, text: &str) -> Option<vt100::Color> {
    let (_, cols) = screen.size();
    screen.rows(0, cols.get()).enumerate().find_map(|(row, line)| {
        let at = line[..line.find(text)?].chars().count();
        let cell = screen.cell(u16::try_from(row).ok()?, u16::try_from(at).ok()?)?;
        Some(cell.fgcolor())
    })
}

#[tokio::test]
async fn colours_fit_the_background() {
    let scene = Scene::start().await;
    let mut seen = Vec::new();
    for background in ["1010/1010/1010", "ffff/ffff/eeee"] {
        let terminal = scene.ready(answering(Answers::Background(background))).await;
        untouched(&terminal).await;
        seen.push(colour(&terminal, MARK));
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_terminal_that_answers_nothing_is_dark_unless_it_hints_otherwise() {
    let scene = Scene::start().await;
    let silent = scene.ready(answering(Answers::Nothing)).await;
    untouched(&silent).await;
    let dark = scene
        .ready(answering(Answers::Background("0000/0000/0000")))
        .await;
    assert_eq!(colour(&silent, MARK), colour(&dark, MARK));
    let mut hinting = answering(Answers::Attributes);
    hinting.env.push(("COLORFGBG", "0;15".to_owned()));
    let hinting = scene.ready(hinting).await;
    untouched(&hinting).await;
    assert_ne!(colour(&hinting, MARK), colour(&dark, MARK));
}

#[tokio::test]
async fn an_answer_that_comes_late_changes_colours_and_is_no_key() {
    let scene = Scene::start().await;
    let terminal = scene.ready(answering(Answers::Nothing)).await;
    let dark = colour(&terminal, MARK);
    // In pieces, with a picture in between.
    for piece in ["\x1b", "]11;rgb:ff", "ff/ffff/ffff\x1b", "\\\x1b[?6", "2;22c"] {
        terminal.keys(piece);
        harness::terminal::a_moment(20).await;
    }
    terminal
        .wait_until("other colours", |screen| colour_on(screen, MARK) != Some(dark))
        .await;
    untouched(&terminal).await;
}

#[tokio::test]
async fn who_says_what_is_wanted_is_not_asked() {
    let scene = Scene::start().await;
    let mut setup = answering(Answers::Background("ffff/ffff/ffff"));
    setup.env.push(("NO_COLOR", "1".to_owned()));
    let terminal = scene.ready(setup).await;
    untouched(&terminal).await;
    assert!(
        !terminal
            .raw()
            .windows(QUESTION.len())
            .any(|bytes| bytes == QUESTION)
    );
    assert_eq!(colour(&terminal, MARK), vt100::Color::Default);
}

#[tokio::test]
async fn what_is_typed_at_once_is_not_lost() {
    let scene = Scene::start().await;
    let terminal = scene.monitor(answering(Answers::Nothing)).await;
    terminal.wait_for_bytes(QUESTION).await;
    terminal.keys("?");
    terminal.wait_for("Ctrl-U").await;
}
