//! A terminal's screen as an SVG that looks the same wherever it is shown: letters are placed one column
//! each, and braille, blocks and lines are drawn, since fonts disagree about them. Knows nothing of programs.

use std::fmt::Write as _;

use vt100::{Cell, Color, Screen};

/// A column and a row, in SVG units; letters of 14 units fill them as terminals do.
const COLUMN: f32 = 8.4;
const ROW: f32 = 17.0;
/// Around the screen.
const MARGIN: f32 = 12.0;
/// The window's own line, with its three dots.
const TITLE: f32 = 26.0;

/// The sixteen colours, as many terminals have them by default.
const PALETTE: [&str; 16] = [
    "#1d1f21", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4", "#7f848e",
    "#ff7b86", "#b1d690", "#f2d399", "#82c4ff", "#d99bea", "#7fd1da", "#ffffff",
];
const FOREGROUND: &str = "#d7dae0";
const BACKGROUND: &str = "#16181d";

/// One picture.
pub(crate) fn of(screen: &Screen, title: &str) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let (width, height) = (
        f32::from(columns) * COLUMN + 2.0 * MARGIN,
        f32::from(rows) * ROW + 2.0 * MARGIN + TITLE,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"14\">\n\
         <title>{}</title>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n",
        escaped(title)
    );
    for (at, colour) in ["#e06c75", "#e5c07b", "#98c379"].iter().enumerate() {
        let x = MARGIN + 7.0 + at as f32 * 18.0;
        let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"18\" r=\"5.5\" fill=\"{colour}\"/>");
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.0}\" y=\"22\" fill=\"#7f848e\" text-anchor=\"middle\" font-size=\"12\">{}</text>",
        width / 2.0,
        escaped(title)
    );
    for row in 0..rows {
        let cells = (0..columns).filter_map(|column| Some((column, screen.cell(row, column)?)));
        line(&mut svg, row, &cells.collect::<Vec<_>>());
    }
    svg.push_str("</svg>\n");
    svg
}

/// How a run of cells looks; neighbours that look alike share an element.
#[derive(Clone, PartialEq)]
struct Look {
    ink: String,
    paper: Option<String>,
    is_bold: bool,
    is_faint: bool,
    is_underlined: bool,
}

fn look(cell: &Cell) -> Look {
    let name = |colour: Color, default: &str| match colour {
        Color::Default => default.to_owned(),
        Color::Idx(index) => PALETTE.get(usize::from(index)).unwrap_or(&FOREGROUND).to_string(),
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
    };
    let (mut ink, mut paper) = (name(cell.fgcolor(), FOREGROUND), name(cell.bgcolor(), BACKGROUND));
    if cell.inverse() {
        std::mem::swap(&mut ink, &mut paper);
    }
    Look {
        ink,
        paper: (paper != BACKGROUND).then_some(paper),
        is_bold: cell.bold(),
        is_faint: cell.dim(),
        is_underlined: cell.underline(),
    }
}

fn line(svg: &mut String, row: u16, cells: &[(u16, &Cell)]) {
    let y = MARGIN + TITLE + f32::from(row) * ROW;
    let mut at = 0;
    while let Some(&(column, cell)) = cells.get(at) {
        let same = look(cell);
        let rest = cells.iter().skip(at);
        let run: Vec<_> = rest.take_while(|(_, next)| look(next) == same).collect();
        at += run.len();
        let x = MARGIN + f32::from(column) * COLUMN;
        if let Some(paper) = &same.paper {
            // A little over, so that no seam shows between two of one colour.
            let width = run.len() as f32 * COLUMN + 0.4;
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{ROW}\" fill=\"{paper}\"/>"
            );
        }
        let mut drawn = String::new();
        let (mut letters, mut places) = (String::new(), String::new());
        for (column, cell) in run {
            let x = MARGIN + f32::from(*column) * COLUMN;
            match cell.contents().chars().next() {
                None | Some(' ') => {}
                Some(glyph) if draw(&mut drawn, glyph, x, y) => {}
                Some(_) => {
                    letters.push_str(&escaped(cell.contents()));
                    for _ in cell.contents().chars() {
                        let _ = write!(places, "{x:.1} ");
                    }
                }
            }
        }
        let faint = if same.is_faint { " opacity=\"0.65\"" } else { "" };
        if !drawn.is_empty() {
            let _ = writeln!(svg, "<path d=\"{drawn}\" fill=\"{}\"{faint}/>", same.ink);
        }
        if !letters.is_empty() {
            let bold = if same.is_bold { " font-weight=\"bold\"" } else { "" };
            let under = if same.is_underlined {
                " text-decoration=\"underline\""
            } else {
                ""
            };
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" fill=\"{}\"{bold}{under}{faint} xml:space=\"preserve\">{letters}</text>",
                places.trim_end(),
                y + 13.0,
                same.ink
            );
        }
    }
}

/// Draws a glyph that fonts cannot be trusted with; `false` leaves it to them.
fn draw(path: &mut String, glyph: char, x: f32, y: f32) -> bool {
    let code = u32::from(glyph);
    let mut rect = |left: f32, top: f32, width: f32, height: f32| {
        let _ = write!(
            path,
            "M{:.1} {:.1}h{width:.1}v{height:.1}h-{width:.1}z",
            x + left,
            y + top
        );
    };
    let (middle, half) = (COLUMN / 2.0, ROW / 2.0);
    match code {
        // Braille: dots 1–3 and 7 on the left, 4–6 and 8 on the right.
        0x2800..=0x28ff => {
            for (bit, column, row) in [
                (1, 0.0, 0.0),
                (2, 0.0, 1.0),
                (4, 0.0, 2.0),
                (8, 1.0, 0.0),
                (16, 1.0, 1.0),
                (32, 1.0, 2.0),
                (64, 0.0, 3.0),
                (128, 1.0, 3.0),
            ] {
                if (code - 0x2800) & bit != 0 {
                    rect(0.9 + column * middle, 1.2 + row * ROW / 4.0, 2.4, 2.4);
                }
            }
        }
        // Eighths from below, and from the left.
        0x2581..=0x2588 => {
            let height = ROW * (code - 0x2580) as f32 / 8.0;
            rect(0.0, ROW - height, COLUMN, height);
        }
        0x2589..=0x258f => rect(0.0, 0.0, COLUMN * (0x2590 - code) as f32 / 8.0, ROW),
        0x2500 | 0x2501 => rect(0.0, half - 0.5, COLUMN, 1.0),
        0x2502 | 0x2503 => rect(middle - 0.5, 0.0, 1.0, ROW),
        // Corners and crossings: arms to the right, left, up, down.
        _ => {
            let (right, left, up, down) = match glyph {
                '┌' | '╭' => (true, false, false, true),
                '┐' | '╮' => (false, true, false, true),
                '└' | '╰' => (true, false, true, false),
                '┘' | '╯' => (false, true, true, false),
                '├' => (true, false, true, true),
                '┤' => (false, true, true, true),
                '┬' => (true, true, false, true),
                '┴' => (true, true, true, false),
                '┼' => (true, true, true, true),
                _ => return false,
            };
            let mut arm = |is_there: bool, left: f32, top: f32, width: f32, height: f32| {
                if is_there {
                    rect(left, top, width, height);
                }
            };
            arm(right, middle - 0.5, half - 0.5, middle + 0.5, 1.0);
            arm(left, 0.0, half - 0.5, middle + 0.5, 1.0);
            arm(up, middle - 0.5, 0.0, 1.0, half + 0.5);
            arm(down, middle - 0.5, half - 0.5, 1.0, half + 0.5);
        }
    }
    true
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
