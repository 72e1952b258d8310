//! Generated templates, conditions and paths, some with a mistake: combinations that `generated.rs` does not produce.

mod condition;
mod path;
mod template;

pub(crate) use self::{condition::condition, path::path, template::template};
use crate::generated::Random;

/// The text with an extra or a missing piece, in one of three cases.
fn damaged(random: &mut Random, text: String, pieces: &[&str]) -> String {
    if random.below(3) > 0 {
        return text;
    }
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let from = random.below(places.len());
    let to = (from + random.below(4)).min(places.len() - 1);
    let instead = if random.below(2) == 0 { random.of(pieces) } else { "" };
    format!("{}{instead}{}", &text[..places[from]], &text[places[to]..])
}
