//! Generated cases of whole templates, conditions and paths, with a mistake in some of them: what the pieces of
//! `generated.rs` do not put together.

mod condition;
mod path;
mod template;

pub(crate) use self::{condition::condition, path::path, template::template};
use crate::generated::Random;

/// The text with a piece too many or too few, in one of three.
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
