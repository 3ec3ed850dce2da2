//! Every style on the backgrounds that it is made for, in the palettes that terminals come with.

use super::*;

/// The least contrast of text: what WCAG 2 asks of ordinary letters.
const LEAST: f64 = 4.5;

struct Palette {
    name: &'static str,
    /// Black to white, then their bright ones.
    colours: [u32; 16],
    /// Background and letters of its dark and its light profile.
    dark: (u32, u32),
    light: (u32, u32),
}

const PALETTES: [Palette; 5] = [
    Palette {
        name: "xterm",
        colours: [
            0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f,
            0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
        ],
        dark: (0x000000, 0xe5e5e5),
        light: (0xffffff, 0x000000),
    },
    Palette {
        name: "VGA",
        colours: [
            0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa, 0x555555,
            0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff,
        ],
        dark: (0x000000, 0xaaaaaa),
        light: (0xffffff, 0x000000),
    },
    Palette {
        name: "Tango",
        colours: [
            0x2e3436, 0xcc0000, 0x4e9a06, 0xc4a000, 0x3465a4, 0x75507b, 0x06989a, 0xd3d7cf, 0x555753,
            0xef2929, 0x8ae234, 0xfce94f, 0x729fcf, 0xad7fa8, 0x34e2e2, 0xeeeeec,
        ],
        dark: (0x000000, 0xd3d7cf),
        light: (0xffffff, 0x2e3436),
    },
    Palette {
        name: "Windows",
        colours: [
            0x0c0c0c, 0xc50f1f, 0x13a10e, 0xc19c00, 0x0037da, 0x881798, 0x3a96dd, 0xcccccc, 0x767676,
            0xe74856, 0x16c60c, 0xf9f1a5, 0x3b78ff, 0xb4009e, 0x61d6d6, 0xf2f2f2,
        ],
        dark: (0x0c0c0c, 0xcccccc),
        light: (0xffffff, 0x0c0c0c),
    },
    Palette {
        name: "macOS",
        colours: [
            0x000000, 0xc23621, 0x25bc24, 0xadad27, 0x492ee1, 0xd338d3, 0x33bbc8, 0xcbcccd, 0x818383,
            0xfc391f, 0x31e722, 0xeaec23, 0x5833ff, 0xf935f8, 0x14f0f0, 0xe9ebeb,
        ],
        dark: (0x1e1e1e, 0xffffff),
        light: (0xffffff, 0x000000),
    },
];

fn luminance(rgb: u32) -> f64 {
    let linear = |byte: u32| {
        let c = f64::from(byte & 0xff) / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(rgb >> 16) + 0.7152 * linear(rgb >> 8) + 0.0722 * linear(rgb)
}

fn contrast(a: u32, b: u32) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn rgb(colour: Option<Color>, palette: &Palette, default: u32) -> u32 {
    let at = match colour.unwrap_or(Color::Reset) {
        Color::Reset => return default,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        other => panic!("{other:?} is none of the 16"),
    };
    palette.colours[at]
}

#[test]
fn a_known_contrast_is_computed() {
    assert!((contrast(0x000000, 0xffffff) - 21.0).abs() < 0.01);
    assert!((contrast(0x777777, 0xffffff) - 4.48).abs() < 0.01);
}

#[test]
fn every_word_can_be_read_in_the_common_palettes() {
    for palette in &PALETTES {
        for (theme, (background, letters)) in [
            (Theme::DARK, palette.dark),
            (Theme::LIGHT, palette.light),
            (Theme::MONO, palette.dark),
            (Theme::MONO, palette.light),
        ] {
            for style in theme.all() {
                let fg = rgb(style.fg, palette, letters);
                let bg = rgb(style.bg, palette, background);
                let got = contrast(fg, bg);
                assert!(
                    got >= LEAST,
                    "{} on {background:06x}: {style:?} has {got:.2}",
                    palette.name
                );
            }
        }
    }
}

#[test]
fn without_colour_there_is_none() {
    for style in Theme::MONO.all() {
        assert!(matches!(style.fg, None | Some(Color::Reset)), "{style:?}");
        assert!(matches!(style.bg, None | Some(Color::Reset)), "{style:?}");
    }
}
