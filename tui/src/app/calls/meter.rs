//! Loudness in steps that an eye can tell apart, so that what cannot be seen is not drawn.

/// Steps of a meter; as many as there are eighths of a block.
pub const STEPS: u8 = 8;

/// What a meter shows as nothing, dBFS: the noise of a quiet line.
pub const METER_FLOOR_DB: f32 = -60.0;

/// How high a meter stands: 0 for nothing, [`STEPS`] for full scale.
pub fn meter_step(db: Option<f32>) -> u8 {
    let over = db.unwrap_or(METER_FLOOR_DB) - METER_FLOOR_DB;
    let steps = (over / -METER_FLOOR_DB * f32::from(STEPS)).ceil();
    // A level that is no number is no level: `as` makes it 0.
    steps.clamp(0.0, f32::from(STEPS)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_goes_from_nothing_to_full_scale() {
        let steps: Vec<u8> = [-90.0, -60.0, -59.0, -30.0, -29.0, -0.1, 0.0, 3.0, f32::NAN]
            .map(|db| meter_step(Some(db)))
            .to_vec();
        assert_eq!(steps, [0, 0, 1, 4, 5, 8, 8, 8, 0]);
        assert_eq!(meter_step(None), 0);
    }
}
