//! Makes an input that fails as small as it goes.

use super::Input;

/// The smallest input found that still fails, by at most so many attempts.
pub(super) fn smallest(mut input: Input, attempts: usize, fails: &dyn Fn(&[String]) -> bool) -> Input {
    let mut left = attempts;
    loop {
        let before = size(&input);
        for part in 0..input.len() {
            shrink(&mut input, part, &mut left, fails);
        }
        if left == 0 || size(&input) == before {
            return input;
        }
    }
}

fn size(input: &[String]) -> usize {
    input.iter().map(String::len).sum()
}

/// Takes pieces out of a part: large ones first.
fn shrink(input: &mut Input, part: usize, left: &mut usize, fails: &dyn Fn(&[String]) -> bool) {
    let mut piece = input[part].chars().count();
    while piece > 0 {
        let mut at = 0;
        loop {
            let text: Vec<char> = input[part].chars().collect();
            if at >= text.len() {
                break;
            }
            if *left == 0 {
                return;
            }
            *left -= 1;
            let mut smaller = input.clone();
            smaller[part] = text.iter().take(at).chain(text.iter().skip(at + piece)).collect();
            if fails(&smaller) {
                *input = smaller;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
}
