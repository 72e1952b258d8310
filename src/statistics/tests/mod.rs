mod promises;
mod vectors;

use super::*;

/// Without a warm-up, and with a primary that is never in trouble.
fn settled() -> Settings {
    Settings { warmup: 0.0, ..Settings::default() }
}

fn look(canary: (u64, u64), primary: (u64, u64), seconds: f64) -> Look {
    let side = |(all, bad)| Counts { all, bad };
    Look { canary: side(canary), primary: side(primary), seconds }
}

#[test]
fn a_text_holds_all_that_the_next_look_needs() {
    let settings = Settings::default();
    let mut evidence = Evidence::new(Known { burst: Some(3.5), lasts: 1.25, usual: Some(0.002) });
    for at in 0..20 {
        let stored = Evidence::of_text(&evidence.to_text()).unwrap();
        assert_eq!(stored.to_text(), evidence.to_text());
        let next = look((150, at % 3), (1350, at % 2), 15.0);
        let mut kept = stored.clone();
        kept.look(&settings, &next);
        evidence.look(&settings, &next);
        assert!((kept.finding(&settings).evidence - evidence.finding(&settings).evidence).abs() < 1e-6);
    }
    assert!(evidence.to_text().len() < 600, "{}", evidence.to_text().len());
    let unknown = Evidence::new(Known::NOTHING);
    assert_eq!(Evidence::of_text(&unknown.to_text()), Some(unknown));
}

#[test]
fn a_text_that_is_not_whole_is_not_read() {
    let text = Evidence::new(Known::NOTHING).to_text();
    let words: Vec<&str> = text.split(' ').collect();
    for kept in 0..words.len() {
        assert_eq!(Evidence::of_text(&words[..kept].join(" ")), None, "{kept}");
    }
    for at in 0..words.len() {
        for other in ["x", "NaN", "-5e0 7"] {
            let mut words = words.clone();
            words[at] = other;
            assert_eq!(Evidence::of_text(&words.join(" ")), None, "{at} {other}");
        }
    }
    assert_eq!(Evidence::of_text(&text.replace("v1", "v2")), None);
}

#[test]
fn the_logarithm_of_the_gamma_function_is_known() {
    for (x, known) in [
        (0.5, 0.572_364_942_924_700_1),
        (1.0, 0.0),
        (1.5, -0.120_782_237_635_245_22),
        (10.5, 13.940_625_219_403_763),
        (1000.5, 5_908.674_175_848_678),
    ] {
        assert!((numbers::ln_gamma(x) - known).abs() < 1e-9 * known.abs().max(1.0), "{x}");
    }
}
