//! The waveform of a voice note (chapter 06 §8).

/// Bars of a waveform, each from 0 to 100.
pub const WAVEFORM_LEN: usize = 64;

/// The waveform of one channel's samples: the mean of the absolute values of 64 equal blocks, scaled so that the
/// loudest is 100. All zero for silence; `None` for fewer than 64 samples. A sample that is no number counts as 0.
pub fn waveform(samples: &[f32]) -> Option<[u8; WAVEFORM_LEN]> {
    let len = samples.len() / WAVEFORM_LEN;
    if len == 0 {
        return None;
    }
    let mut means = [0.0; WAVEFORM_LEN];
    for (mean, block) in means.iter_mut().zip(samples.chunks_exact(len)) {
        let sum: f64 =
            block.iter().filter(|sample| sample.is_finite()).map(|sample| f64::from(sample.abs())).sum();
        *mean = sum / len as f64;
    }
    let loudest = means.iter().copied().fold(0.0, f64::max);
    if loudest == 0.0 {
        return Some([0; WAVEFORM_LEN]);
    }
    // Between 0 and 100 by construction.
    Some(means.map(|mean| (100.0 * mean / loudest) as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_flat_and_too_little_is_nothing() {
        assert_eq!(waveform(&[0.0; 640]), Some([0; 64]));
        assert_eq!(waveform(&[0.5; 63]), None);
        assert_eq!(waveform(&[f32::NAN; 64]), Some([0; 64]));
        assert_eq!(waveform(&[-0.25; 130]), Some([100; 64]));
    }

    #[test]
    fn the_loudest_block_is_100() {
        let samples: Vec<f32> = (0..6400).map(|index| if index / 100 == 7 { 0.8 } else { 0.2 }).collect();
        let bars = waveform(&samples).unwrap();
        assert_eq!((bars[7], bars[6]), (100, 25));
    }
}
